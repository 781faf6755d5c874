"""`FeatureStore`: a feature repo in Python, with the methods of the command line and Feast's names for them."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from . import _viand
from .errors import NotYet, UsageError
from .lineage import Lineage
from .stored import Catalogue, StoredObject, find, objects
from .plans import Operator
from .progress import progress_of
from .reports import (HistoryEntry, Plan, PredictReport, RollbackReport, RunReport, SearchHit, Steps, TrainReport,
                      VersionDifference, WrittenTable)
from .retrieval import RetrievalJob, feature_references
from .table import Table
from .tables_in import Spine

if TYPE_CHECKING:
    from .data_source import FileSource
    from .dataset import Dataset
    from .entity import Entity
    from .feature_service import FeatureService
    from .feature_view import FeatureView
    from .labels import Labels
    from .model import Model
    from .snapshots import Snapshots

# More is a mistake.
_MOST_THREADS = 4096
Time = str | datetime.datetime | datetime.date | None


def _names(given: str | Iterable[str] | None) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, Iterable):
        raise UsageError(f"expected a name, or a list of names, got {given!r}")
    return [given] if isinstance(given, str) else [str(getattr(each, "name", each)) for each in given]


def _time(given: Time) -> str:
    """A moment as the engine reads it; with a zone it becomes UTC."""
    if given is None:
        return ""
    if isinstance(given, datetime.datetime):
        if given.tzinfo is not None:
            given = given.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return given.isoformat(sep=" ")
    return given.isoformat() if isinstance(given, datetime.date) else str(given)


def _tags(given: dict[str, str] | Iterable[str] | None) -> list[str]:
    if isinstance(given, dict):
        return [f"{key}={value}" for key, value in given.items()]
    return _names(given)


def _is_driver_of_ray() -> bool:
    """Whether this program has called ray.init(); a task of Ray does its own work itself."""
    ray = sys.modules.get("ray")
    return ray is not None and ray.is_initialized() and ray._private.worker.global_worker.mode == ray.SCRIPT_MODE


# _viand starts a driver in a process of its own.
_NO_RAY_HERE = -2


def _connect_to_ray() -> int:
    """The descriptor of a driver in this program, where it is connected to Ray: Ray ends a driver whose cluster is lost, and
    a program that has not called ray.init() is none."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return _NO_RAY_HERE
    from .ray.driver import start_in_thread

    return start_in_thread()


class FeatureStore:
    """A feature repo: a folder with feature_store.yaml and definitions.

    >>> store = FeatureStore("shop")
    >>> store
    <viand.FeatureStore minimal: 1 entities, 1 datasets, 1 sources, 1 snapshots, 1 feature-views, 1 feature-services>
    >>> [step.status for step in store.run().steps]
    ['computed', 'computed', 'computed']

    Calls may come from any thread, and go one behind the other. Each releases the GIL while it works, and ctrl-C stops
    it with nothing half-written. After a fork the repo is opened again.

    Args:
        repo_path: the folder, or one below it; default: the current one. `path` is another name for it.
        fs_yaml_file: the path of the feature_store.yaml instead.
        threads: default: all cores.
        memory: the budget, as "2GiB", "60%" or a number of bytes; what does not fit goes to disk meanwhile. Default: 60 %.
        temporary_folder: for what does not fit; default: $TMPDIR, else the repo's data/.
        executor: "threads", or "ray": tasks of a Ray cluster. Default: Ray where this program has called ray.init() or an
            address is given, here or in feature_store.yaml.
        ray_address: HOST:PORT of the cluster, or "auto". Default: the one that this program is connected to, else
            feature_store.yaml's, else $RAY_ADDRESS, else a Ray of our own on this machine.
        progress: True, False, or a function of (stage, done, total, unit), which gets None at the end. Default: a bar
            where somebody looks (a terminal, a notebook), for work that takes over a second.
    """

    def __init__(self, repo_path: str | os.PathLike[str] | None = None, config: Any = None,
                 fs_yaml_file: str | os.PathLike[str] | None = None, *, path: str | os.PathLike[str] | None = None,
                 threads: int = 0, memory: str | int = "", temporary_folder: str | os.PathLike[str] = "",
                 executor: str = "", ray_address: str = "", progress: bool | Callable[..., None] | None = None) -> None:
        if config is not None:
            raise UsageError("config= is not supported", "write it to feature_store.yaml and name its folder")
        given = [each for each in (repo_path, fs_yaml_file, path) if each is not None]
        if len(given) > 1:
            raise UsageError("the repo is named twice", "give one of repo_path, path and fs_yaml_file")
        folder = os.path.dirname(os.path.abspath(fs_yaml_file)) if fs_yaml_file is not None else os.fspath(given[0] if given else ".")
        if not isinstance(threads, int) or isinstance(threads, bool) or not 0 <= threads <= _MOST_THREADS:
            raise UsageError(f"expected a number of threads, got {threads!r}", "0 is all cores")
        if fs_yaml_file is not None and os.path.basename(fs_yaml_file) != "feature_store.yaml":
            raise UsageError(f"fs_yaml_file is {os.fspath(fs_yaml_file)}", "viand reads a file that is named feature_store.yaml, in the folder of its repo")
        memory = str(memory)
        # Definitions in Python are read by this Python, in a process of their own.
        python = os.environ.get("VIAND_PYTHON") or sys.executable
        self._options = {"threads": threads, "memory": memory, "temporary_folder": os.fspath(temporary_folder), "executor": executor,
                         "ray_address": ray_address}
        if not executor and not ray_address and _is_driver_of_ray():
            executor = "ray"
        self._store = _viand.Store(folder, threads, memory, os.fspath(temporary_folder), python, progress_of(progress), executor,
                                   ray_address, _connect_to_ray)
        self._root, self._project = self._store.root, self._store.project
        self._objects: dict[tuple[str, str], Any] = {}
        # Not properties: a notebook that completes store.feature_views["... evaluates attributes and no code.
        self.entities = Catalogue(self._store, "entities")
        self.feature_views = Catalogue(self._store, "feature-views")
        self.data_sources = Catalogue(self._store, "sources")
        self.feature_services = Catalogue(self._store, "feature-services")
        self.models = Catalogue(self._store, "models")
        self.datasets = Catalogue(self._store, "datasets")

    def __reduce__(self) -> Any:
        """In another process the repo is opened there."""
        return _reopened, (self._root, self._options, self._objects)

    @property
    def repo_path(self) -> str:
        """The absolute folder of the repo."""
        return self._root

    @property
    def project(self) -> str:
        """The project of feature_store.yaml."""
        return self._project

    def reload(self) -> None:
        """Reads the repo's files again; a store keeps them as they were when it was made."""
        self._store.forget()

    # ---- the pipeline ---------------------------------------------------------------------------------------

    def run(self, steps: str | Iterable[str] | None = None, *, yes: bool = False) -> RunReport:
        """The whole pipeline, or only some `steps` ("ingest", "apply", "backfill", "train", "predict"), computing what is
        not fresh. `yes` applies removals and breaking changes, too."""
        self._store.forget()
        return RunReport.of(self._store.run(_names(steps), yes))

    def ingest(self, datasets: str | Iterable[str] | None = None) -> Steps:
        """Raw files -> typed Parquet; without names every dataset. Computes even what is fresh."""
        return Steps(self._store.ingest(_names(datasets)))

    def plan(self) -> Plan:
        """What `apply` would change in the registry, as the repo's files are now."""
        self._store.forget()
        return Plan.of(self._store.plan())

    def apply(self, objects: Any = None, objects_to_delete: Any = None, partial: bool = True,
              skip_feature_view_validation: bool = False, *, yes: bool = False, force: bool = False, plan: Plan | None = None) -> Plan:
        """Commits the repo's definitions to the registry, in one transaction.

        Args:
            objects: definitions made in this program (one, or a list): these and what they refer to are applied and
                nothing else, as in Feast. They hold for this store from now on, besides those of the repo's files or in
                place of their namesakes; nothing that the registry has is removed.
            yes: remove objects, too. Without it a plan that removes raises, and nothing is changed.
            force: break readers of a view though its definition does not say the next version.
            plan: what `plan()` gave last: exactly that is committed, or Conflict raised.
            objects_to_delete, partial: Feast's; objects go by what the repo's definitions no longer have, and `yes`.
            skip_feature_view_validation: Feast's; viand always checks.
        """
        if objects_to_delete and not partial:
            self._by_apply()
        if objects is not None and plan is not None:
            raise UsageError("both objects and a plan were given", "a plan says itself what it is about")
        if objects is not None:
            return self._apply_given(objects, yes, force)
        if plan is None:
            self._store.forget()
        return Plan.of(self._store.apply(yes, force, plan is not None, []))

    def _apply_given(self, objects: Any, yes: bool, force: bool) -> Plan:
        """Applies objects that were made in this program; where that fails it is as if they had not been given."""
        from .document import NAMES_IN_PLANS, SECTIONS, collect

        given = collect(objects)
        known = {(each.section, each.name): each for section in SECTIONS for each in given.objects(section)}
        before = self._objects
        try:
            self._define(before | known)
            names = [f"{NAMES_IN_PLANS[section]} {name}" for section, name in known]
            return Plan.of(self._store.apply(yes, force, False, names))
        except BaseException:
            self._define(before)
            raise

    def _define(self, objects: dict[tuple[str, str], Any]) -> None:
        from .placed import handed_over

        self._objects = objects
        self._store.define(handed_over(list(objects.values()), self.repo_path) if objects else "")

    def teardown(self) -> Plan:
        """Removes every object of this repo from the registry; files stay."""
        return Plan.of(self._store.teardown())

    def backfill(self, feature_views: str | Iterable[str] | None = None) -> Steps:
        """Computed views -> offline store, the cutoffs that are not fresh; without names all that have snapshots."""
        return Steps(self._store.backfill(_names(feature_views)))

    def train(self, model: str, *, export: str | os.PathLike[str] = "", force: bool = False) -> TrainReport:
        """Trains a model where something has changed (`force`: in any case); `export` is a Parquet file for its rows."""
        return TrainReport.of(self._store.train(model, os.fspath(export), force))

    def predict(self, model: str, *, as_of: Time = None, output: str | os.PathLike[str] = "",
                force: bool = False) -> PredictReport:
        """Scores the model's population at the last snapshot, or exactly `as_of` a time, into a Parquet file."""
        return PredictReport.of(self._store.predict(model, _time(as_of), os.fspath(output), force))

    # ---- features -------------------------------------------------------------------------------------------

    def get_historical_features(self, entity_df: Any = None, features: Any = None, full_feature_names: bool = False,
                                start_date: Time = None, end_date: Time = None,
                                filter_by_created_timestamp: bool = False, *, service: str = "",
                                timestamp_column: str | None = None, every_row: bool = False) -> RetrievalJob:
        """Features as of each row of `entity_df`: never from its future, one row for each of its rows, in its order.

        >>> orders = {"user_id": [1, 2], "event_timestamp": ["2026-01-05", "2026-01-06"]}
        >>> import datetime as dt
        >>> orders["event_timestamp"] = [dt.datetime.fromisoformat(text) for text in orders["event_timestamp"]]
        >>> job = FeatureStore("shop").get_historical_features(orders, features=["user_activity"])
        >>> job.columns[:2], len(job)
        (['user_id', 'event_timestamp'], 2)

        Args:
            entity_df: pandas, polars, pyarrow, DuckDB, a dict of columns, a path (Parquet, CSV, Arrow), or
                "labels:NAME". Times without a zone are UTC. None: see `start_date`.
            features: ["view:feature", "view", ...], "view@v2:feature" for an old version, or a FeatureService.
            full_feature_names: columns are named view__feature.
            start_date, end_date: without `entity_df`: every key that has feature rows between them, both inclusive, as
                of the end (default: now); with `every_row` each of those rows.
            filter_by_created_timestamp: only feature rows that were created by the row's time.
            service: the name of a feature service; may stand beside `features`.
            timestamp_column: the time of a row; default: event_timestamp, else the only column of times.
        """
        references, of_service = feature_references(features)
        if service and of_service:
            raise UsageError("two feature services were given", "give one of features and service")
        texts = {"service": service or of_service, "start": _time(start_date), "end": _time(end_date),
                 "full_feature_names": "yes" if full_feature_names else "",
                 "created_not_after": "yes" if filter_by_created_timestamp else "",
                 "every_row": "yes" if every_row else ""}
        if entity_df is not None and (start_date is not None or end_date is not None or every_row):
            raise UsageError("both entity_df and a range of time were given",
                             "entity_df has the rows itself; start_date, end_date and every_row stand instead")
        spine = Spine(entity_df)
        texts["timestamp_column"] = spine.timestamp_column(timestamp_column)
        texts = {name: text for name, text in texts.items() if text}
        self._store.check_retrieval(references, texts)
        return RetrievalJob(self._store, spine, references, texts)

    def explain(self, entity_df: Any = None, features: Any = None, *, analyze: bool = False, **options: Any) -> Operator:
        """The plan of a retrieval, whose arguments it takes; with `analyze` it is run, and told what each operator did."""
        return self.get_historical_features(entity_df, features, **options).explain(analyze)

    def rebuild(self, manifest: str | os.PathLike[str], output: str | os.PathLike[str], *,
                entity_df: str | os.PathLike[str] = "") -> WrittenTable:
        """Makes a file again from its manifest; raises InputError with each thing that has changed since."""
        return WrittenTable(**self._store.rebuild(os.fspath(manifest), os.fspath(entity_df), os.fspath(output)))

    def read(self, path: str | os.PathLike[str]) -> Table:
        """A Parquet file of the repo: `data/predictions/MODEL.parquet`, or any other path."""
        return Table(self._store, self._store.read(os.fspath(path)))

    # ---- objects --------------------------------------------------------------------------------------------

    # Objects are of the classes that definitions are made with, and know what the registry adds: facts, timestamps, types.

    def _list(self, kind: str, tags: dict[str, str] | Iterable[str] | None) -> list[Any]:
        return objects(self._store, kind, _tags(tags))

    def list_entities(self, allow_cache: bool = False, tags: Any = None) -> list[Entity]:
        """The entities; `tags` (a dict, or ["team=growth"]): only those that have them all."""
        return self._list("entities", tags)

    def list_feature_views(self, allow_cache: bool = False, tags: Any = None) -> list[FeatureView]:
        """The feature views, ready ones and computed ones; `tags` as in `list_entities`, here and below."""
        return self._list("feature-views", tags)

    list_batch_feature_views = list_feature_views

    def list_all_feature_views(self, allow_cache: bool = False, tags: Any = None) -> list[FeatureView | StoredObject]:
        """The feature views, and Feast's of other kinds that the registry has."""
        return [view for kind in ("feature-views", "stream-feature-views", "on-demand-feature-views") for view in self._list(kind, tags)]

    def list_stream_feature_views(self, allow_cache: bool = False, tags: Any = None) -> list[StoredObject]:
        """Feast's, as the registry tells of them."""
        return self._list("stream-feature-views", tags)

    def list_on_demand_feature_views(self, allow_cache: bool = False, tags: Any = None) -> list[StoredObject]:
        """Feast's, as the registry tells of them."""
        return self._list("on-demand-feature-views", tags)

    def list_label_views(self, allow_cache: bool = False, tags: Any = None) -> list[StoredObject]:
        """Feast's; viand's own are `list_labels`."""
        return self._list("label-views", tags)

    def list_permissions(self, allow_cache: bool = False, tags: Any = None) -> list[StoredObject]:
        """Feast's, as the registry tells of them."""
        return self._list("permissions", tags)

    def list_validation_references(self, allow_cache: bool = False, tags: Any = None) -> list[StoredObject]:
        """Feast's, as the registry tells of them."""
        return self._list("validation-references", tags)

    def list_data_sources(self, allow_cache: bool = False, tags: Any = None) -> list[FileSource]:
        """The sources of rows."""
        return self._list("sources", tags)

    def list_feature_services(self, tags: Any = None) -> list[FeatureService]:
        """The feature services: named lists of features."""
        return self._list("feature-services", tags)

    def list_models(self, tags: Any = None) -> list[Model]:
        """The models."""
        return self._list("models", tags)

    def list_datasets(self, tags: Any = None) -> list[Dataset]:
        """The datasets: raw files and what is made of them."""
        return self._list("datasets", tags)

    def list_snapshots(self, tags: Any = None) -> list[Snapshots]:
        """The grids of cutoffs."""
        return self._list("snapshots", tags)

    def list_labels(self, tags: Any = None) -> list[Labels]:
        """The labels."""
        return self._list("labels", tags)

    def get_entity(self, name: str, allow_registry_cache: bool = False) -> Entity:
        """The entity of that name; NotFound says the nearest."""
        return find(self._store, "entities", name)

    def get_feature_view(self, name: str, allow_registry_cache: bool = False) -> FeatureView:
        """The feature view of that name; "view@v1" is a version that it had."""
        return find(self._store, "feature-views", name)

    def get_stream_feature_view(self, name: str, allow_registry_cache: bool = False) -> StoredObject:
        """Feast's, as the registry tells of it."""
        return find(self._store, "stream-feature-views", name)

    def get_on_demand_feature_view(self, name: str, allow_registry_cache: bool = False) -> StoredObject:
        """Feast's, as the registry tells of it."""
        return find(self._store, "on-demand-feature-views", name)

    def get_label_view(self, name: str, allow_registry_cache: bool = False) -> StoredObject:
        """Feast's; viand's own are `get_labels`."""
        return find(self._store, "label-views", name)

    def get_permission(self, name: str) -> StoredObject:
        """Feast's, as the registry tells of it."""
        return find(self._store, "permissions", name)

    def get_validation_reference(self, name: str, allow_cache: bool = False) -> StoredObject:
        """Feast's, as the registry tells of it."""
        return find(self._store, "validation-references", name)

    def get_data_source(self, name: str) -> FileSource:
        """The source of that name."""
        return find(self._store, "sources", name)

    def get_feature_service(self, name: str, allow_cache: bool = False) -> FeatureService:
        """The feature service of that name."""
        return find(self._store, "feature-services", name)

    def get_model(self, name: str) -> Model:
        """The model of that name."""
        return find(self._store, "models", name)

    def get_dataset(self, name: str) -> Dataset:
        """The dataset of that name."""
        return find(self._store, "datasets", name)

    def get_snapshots(self, name: str) -> Snapshots:
        """The grid of cutoffs of that name."""
        return find(self._store, "snapshots", name)

    def get_labels(self, name: str) -> Labels:
        """The labels of that name."""
        return find(self._store, "labels", name)

    def list_saved_datasets(self, allow_cache: bool = False, tags: Any = None) -> list[StoredObject]:
        """What Feast has saved; as the registry tells of it."""
        return self._list("saved-datasets", tags)

    def get_saved_dataset(self, name: str) -> StoredObject:
        """Feast's, as the registry tells of it."""
        return find(self._store, "saved-datasets", name)

    def list_projects(self, allow_cache: bool = False, tags: Any = None) -> list[StoredObject]:
        """The projects of the registry."""
        return self._list("projects", tags)

    def get_project(self, name: str | None = None) -> StoredObject:
        """A project of the registry; default: this one."""
        return find(self._store, "projects", name or self.project)

    def search(self, text: str) -> list[SearchHit]:
        """Objects whose name, features, tags, owner or description have every word, nearest first."""
        return [SearchHit(**hit) for hit in self._store.search(text)]

    def lineage(self, name: str = "", *, up: bool = True, down: bool = True) -> Lineage:
        """What columns are made from and what reads them. `name`: "column", "view:feature", "object.column", an object, or
        empty: the whole repo. A graph in a notebook; `.text(format)` as tree, dot, mermaid, json or openlineage."""
        return Lineage(self._store, name, up, down)

    def history(self, name: str, kind: str = "") -> list[HistoryEntry]:
        """What was applied to objects of a name; `kind` ("feature-views") where several have it."""
        return [HistoryEntry(**entry) for entry in self._store.history(name, kind)]

    def list_feature_view_versions(self, name: str) -> list[dict[str, Any]]:
        """The versions that a feature view has had, oldest first, with Feast's keys."""
        made = [(int(each.version.removeprefix("v")), each.applied_at) for each in self.history(name, "feature-views") if each.version]
        return [{"version": f"v{number}", "version_number": number, "feature_view_type": "feature_view",
                 "created_timestamp": datetime.datetime.fromisoformat(at).replace(tzinfo=datetime.timezone.utc)}
                for number, at in sorted(dict(reversed(made)).items())]

    def diff(self, before: str, after: str = "", kind: str = "") -> VersionDifference:
        """Compares "NAME@v1" with "NAME@v2"; without `after`, with what the registry has now."""
        return VersionDifference(**self._store.diff(before, after or before.partition("@")[0], kind))

    def rollback(self, versioned_name: str, *, kind: str = "", dry_run: bool = False) -> RollbackReport:
        """Writes the definition of "NAME@v1" back into the repo's files; `apply` then makes it a new version."""
        return RollbackReport(**self._store.rollback(versioned_name, kind, dry_run))

    def refresh_registry(self) -> None:
        """Reads the registry now, for what others have applied since."""
        self._store.refresh_registry()

    def to_yaml(self) -> str:
        """The repo's objects, and those of its project in the registry, as YAML."""
        return self._store.export_("yaml")

    # ---- later ----------------------------------------------------------------------------------------------

    def _later(self, *arguments: Any, **options: Any) -> Any:
        raise NotYet("viand serves no features online yet", "get_historical_features() and predict() read the offline store")

    def _by_apply(self, *arguments: Any, **options: Any) -> Any:
        raise NotYet("viand removes objects by apply alone", "take it out of the repo's definitions, then apply(yes=True)")

    def _by_writing(self, *arguments: Any, **options: Any) -> Any:
        raise NotYet("viand keeps no saved datasets", "get_historical_features(...).to_parquet(path) writes the rows, and a manifest beside them")

    delete_feature_view = delete_feature_service = delete_project = _by_apply
    create_saved_dataset = create_dataset_from_retrieval = retrieve_dataset_data = validate_logged_features = _by_writing
    materialize = materialize_incremental = get_online_features = push = write_to_online_store = _later
    get_online_features_async = push_async = write_to_online_store_async = write_to_offline_store = write_logged_features = _later
    retrieve_online_documents = retrieve_online_documents_v2 = serve = serve_offline = serve_registry = serve_ui = _later

    def close(self) -> None:
        """Feast's; a store of viand holds nothing open."""

    # ---- for people -----------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        count: dict[str, int] = {}
        for known in self._store.list("", []):
            count[known["kind"]] = count.get(known["kind"], 0) + 1
        return f"<viand.FeatureStore {self.project}: {', '.join(f'{n} {kind}' for kind, n in count.items()) or 'nothing defined'}>"

    def _repr_html_(self) -> str:
        from .display import objects_html

        return objects_html(self._store.list("", []), f"{self.project} in {self.repo_path}")


def _reopened(root: str, options: dict[str, Any], objects: dict[tuple[str, str], Any]) -> FeatureStore:
    store = FeatureStore(root, **options)
    if objects:
        store._define(objects)
    return store


def init(folder: str | os.PathLike[str], template: str = "minimal") -> FeatureStore:
    """Makes a repo in a new folder from a template ("minimal", "retail") and opens it."""
    _viand.init_repo(os.fspath(folder), template)
    return FeatureStore(folder)
