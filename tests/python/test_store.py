"""The methods of a store: what they give, what they change, and what they say when something is wrong."""

import copy
import datetime as dt
import json
import pickle

import pytest

import viand
from conftest import Viand
from shop_fixture import shared_shop, shop, shop_files  # noqa: F401

ORDERS = {"user_id": [1, 2, 9], "at": [dt.datetime(2026, 1, 9), dt.datetime(2026, 1, 25), dt.datetime(2026, 1, 25)],
          "note": ["a", None, "c"]}


def test_features_of_plain_columns(shared_shop):
    job = shared_shop.get_historical_features(ORDERS, features=["user_activity"])
    assert job.columns == ["user_id", "at", "note", "n_events", "total_amount", "days_since_last"]
    rows = job.rows()
    assert [rows.cells(i, 0, 3) for i in range(6)] == [
        [1, 2, 9], ORDERS["at"], ["a", None, "c"], [2, 2, None], [17.75, 15.0, None], [2, 7, None]]
    assert len(job) == 3 and job.rows() is rows


def test_the_only_column_of_moments_is_the_time(shared_shop):
    two = {**ORDERS, "paid_at": ORDERS["at"]}
    with pytest.raises(viand.InputError, match="several columns of moments: at, paid_at") as error:
        shared_shop.get_historical_features(two, features=["user_activity"])
    assert 'timestamp_column="..."' in error.value.hint
    job = shared_shop.get_historical_features(two, features=["user_activity:n_events"], timestamp_column="at")
    assert job.rows().cells(4, 0, 3) == [2, 2, None]
    with pytest.raises(viand.InputError, match="none of moments"):
        shared_shop.get_historical_features({"user_id": [1], "at": ["2026-01-01"]}, features=["user_activity"])


def test_services_names_and_prefixes(shared_shop):
    service = shared_shop.get_feature_service("activity_v1")
    by_object = shared_shop.get_historical_features(ORDERS, features=service, full_feature_names=True)
    by_name = shared_shop.get_historical_features(ORDERS, service="activity_v1", full_feature_names=True)
    assert by_object.columns == by_name.columns
    assert by_object.columns[3:] == ["user_activity__n_events", "user_activity__total_amount", "user_activity__days_since_last"]
    view = shared_shop.get_feature_view("user_activity")
    assert shared_shop.get_historical_features(ORDERS, features=[view]).columns[3:] == [feature.name for feature in view.features]


def test_a_range_of_time_stands_for_rows(shared_shop):
    zone = dt.timezone(dt.timedelta(hours=2))
    job = shared_shop.get_historical_features(features=["user_activity"], start_date=dt.datetime(2026, 1, 1),
                                              end_date=dt.datetime(2026, 1, 29, 11, tzinfo=zone))
    assert job.rows().cells(0, 0, 9) == [1, 2, 3]
    assert job.rows().cells(1, 0, 1) == [dt.datetime(2026, 1, 29, 9, tzinfo=dt.timezone.utc)]
    with pytest.raises(viand.UsageError, match="both entity_df and a range of time"):
        shared_shop.get_historical_features(ORDERS, features=["user_activity"], start_date="2026-01-01")


@pytest.mark.parametrize("features, error, text", [
    (["user_activty"], viand.NotFound, 'unknown feature view "user_activty"\n  hint: did you mean "user_activity"?'),
    (["user_activity:n_event"], viand.NotFound, 'did you mean "n_events"?'),
    ([], viand.UsageError, "no features were asked for"),
    ([3], viand.UsageError, "features has a int in it"),
])
def test_a_wrong_name_is_said_before_anything_is_computed(shared_shop, features, error, text):
    with pytest.raises(error) as raised:
        shared_shop.get_historical_features(ORDERS, features=features)
    assert text in str(raised.value)


def test_sql_is_refused(shared_shop):
    for text in ("select * from orders", "WITH x AS (select 1) SELECT * FROM x"):
        with pytest.raises(viand.InputError, match="SQL text, which viand does not run"):
            shared_shop.get_historical_features(text, features=["user_activity"])


def test_files_in_and_out(shared_shop, tmp_path):
    spine = tmp_path / "select orders.csv"
    spine.write_text("user_id,event_timestamp\n1,2026-01-09\n2,2026-01-25\n")
    job = shared_shop.get_historical_features(spine, features=["user_activity"])
    out = tmp_path / "out.parquet"
    assert job.to_parquet(out) == str(out)
    manifest = json.loads((tmp_path / "out.parquet.manifest.json").read_text())
    assert manifest
    assert shared_shop.rebuild(f"{out}.manifest.json", tmp_path / "again.parquet").same_bytes
    # From memory, computed and not computed before.
    first = shared_shop.get_historical_features(ORDERS, features=["user_activity"])
    first.to_parquet(tmp_path / "first.parquet")
    first.rows()
    first.to_parquet(tmp_path / "second.parquet")
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "second.parquet").read_bytes()
    with pytest.raises(viand.UsageError, match="does not say its format|ending|extension|format"):
        first.to_parquet(tmp_path / "third.xyz")


def test_the_whole_of_a_repo(shop):
    assert [step.status for step in shop.run().steps] == ["fresh", "fresh", "fresh"]
    assert shop.ingest("events")[0].rows == 7
    assert shop.backfill()[0].status == "fresh"
    assert not shop.plan().has_effect and "nothing to change" in str(shop.plan())
    with pytest.raises(viand.NotFound, match='unknown dataset "event"'):
        shop.ingest("event")


def test_a_changed_file_is_seen_by_plan_and_apply(shop):
    definitions = open(f"{shop.repo_path}/definitions.yaml").read()
    with open(f"{shop.repo_path}/definitions.yaml", "w") as file:
        file.write(definitions.replace("total_amount: sum(amount)", "total_amount: sum(amount)\n      most: max(amount)"))
    plan = shop.plan()
    assert [(change.action, change.kind, change.name) for change in plan.effects()][0] == ("change", "feature view", "user_activity")
    assert "most" in str(plan) and plan.work[0].name == "user_activity"
    assert shop.apply(plan=plan).has_effect
    assert [entry.version for entry in shop.history("user_activity")] == ["v0", "v1"]
    assert shop.diff("user_activity@v0").fields
    assert shop.rollback("user_activity@v0", dry_run=True).changed
    assert "most" in [feature.name for feature in shop.get_feature_view("user_activity").features]
    with open(f"{shop.repo_path}/definitions.yaml", "w") as file:
        file.write(definitions.replace("sum(amount)", "sum(amuont)"))
    with pytest.raises(viand.DefinitionError) as error:
        shop.plan()
    assert error.value.file.endswith("definitions.yaml") and error.value.line > 0 and "amount" in error.value.hint


def test_a_plan_that_somebody_overtook_is_a_conflict(shop):
    definitions = open(f"{shop.repo_path}/definitions.yaml").read()
    with open(f"{shop.repo_path}/definitions.yaml", "w") as file:
        file.write(definitions.replace("sum(amount)", "max(amount)"))
    plan, other = shop.plan(), viand.FeatureStore(shop.repo_path)
    other.apply()
    with pytest.raises(viand.Conflict, match="user_activity"):
        shop.apply(plan=plan)


def test_objects(shared_shop):
    assert [entity.name for entity in shared_shop.list_entities()] == ["user"]
    assert [view.name for view in shared_shop.list_feature_views(tags={"team": "none"})] == []
    assert [source.name for source in shared_shop.list_data_sources()] == ["events"]
    assert shared_shop.get_entity("user").facts["join keys"] == "user_id"
    with pytest.raises(viand.NotFound, match="user_activity"):
        shared_shop.get_feature_view("user_activit")
    assert dir(shared_shop.feature_views) == ["user_activity"] and "user_activity" in shared_shop.feature_views
    assert shared_shop.feature_views.user_activity == shared_shop.feature_views["user_activity"]
    assert shared_shop.feature_views._ipython_key_completions_() == ["user_activity"]
    with pytest.raises(AttributeError):
        shared_shop.feature_views.no_such_view
    assert "user_activity" in [hit.name for hit in shared_shop.search("activity")]
    assert "user_activity" in shared_shop.to_yaml()


def test_objects_are_of_the_classes_that_definitions_are_made_with(shop):
    """What a store gives is a definition, with what the registry adds; given back it changes nothing."""
    view = shop.get_feature_view("user_activity")
    assert isinstance(view, viand.FeatureView) and view.entities == ["user"] and view.join_keys == ["user_id"]
    assert [(field.name, str(field.dtype)) for field in view.schema] == [
        ("user_id", "Int64"), ("n_events", "Int64"), ("total_amount", "Float64"), ("days_since_last", "Int64")]
    assert str(view.features[1].expr) == "sum(amount)" and view.ttl == dt.timedelta(days=7) and not view.online
    assert view.batch_source.timestamp_field == "at" and view.created_timestamp <= view.last_updated_timestamp
    assert view.in_repo and view.facts["source"] == "events" and "total_amount" in view._repr_html_()
    service = shop.get_feature_service("activity_v1")
    assert [(each.name, [field.name for field in each.features]) for each in service.feature_view_projections] == [
        ("user_activity", ["n_events", "total_amount", "days_since_last"])]
    for kind in (shop.list_entities, shop.list_data_sources, shop.list_snapshots, shop.list_feature_views, shop.list_feature_services,
                 shop.list_datasets, shop.list_models, shop.list_labels):
        for made in kind():
            assert type(made).__module__ != "viand.stored" and made.created_timestamp is not None or made.section in ("datasets", "snapshots"), made
    everything = [made for kind in (shop.list_datasets, shop.list_feature_views, shop.list_feature_services) for made in kind()]
    assert viand.to_yaml(everything).count("name:") == shop.to_yaml().count("name:")
    assert not shop.apply(everything).has_effect
    view.tags["reviewed"] = "yes"
    assert [(change.action, change.name) for change in shop.apply(view).effects()] == [("change", "user_activity")]
    assert shop.get_feature_view("user_activity").tags == {"reviewed": "yes"}


def test_what_a_program_gives_is_applied_and_nothing_else(shop):
    """As in Feast: changes of the repo's files wait for an apply of their own."""
    definitions = open(f"{shop.repo_path}/definitions.yaml").read()
    with open(f"{shop.repo_path}/definitions.yaml", "w") as file:
        file.write(definitions.replace("total_amount: sum(amount)", "total_amount: max(amount)"))
    other = viand.Entity(name="other", join_keys=["user_id"])
    assert [change.name for change in shop.apply(other).effects()] == ["other"]
    assert "user_activity" in [change.name for change in shop.plan().effects()]
    with pytest.raises(viand.DefinitionError, match="unknown source"):
        shop.apply(viand.FeatureView(name="wrong", entities=["user"], source="no_source", schema=["amount"]))
    assert "other" in shop.entities and shop.plan().effects()  # as if it had not been given
    with pytest.raises(viand.UsageError, match="both objects and a plan"):
        shop.apply(other, plan=shop.plan())


def test_hints_name_arguments_of_python(tmp_path, shop):
    with pytest.raises(viand.UsageError, match="there is no folder /no/such/folder") as error:
        viand.FeatureStore("/no/such/folder")
    assert error.value.hint == "name the repo's folder with repo_path=DIR, or make one with viand.init(DIR)"
    with open(f"{shop.repo_path}/definitions.yaml") as file:
        definitions = file.read()
    with open(f"{shop.repo_path}/definitions.yaml", "w") as file:
        file.write(definitions[:definitions.index("feature_services:")])
    with pytest.raises(viand.UsageError, match="remove or break") as error:
        shop.apply()
    assert error.value.hint == "look at plan(); if it is meant, give yes=True"


def test_wrong_arguments_are_said_in_words(shared_shop):
    for call, text in ((lambda: shared_shop.get_entity(None), "expected a name, got None"), (lambda: shared_shop.get_feature_view(3), "expected a name, got"),
                       (lambda: shared_shop.list_feature_views(tags=3), "expected a name, or a list of names, got 3"),
                       (lambda: viand.FeatureStore(shared_shop.repo_path, threads="4"), "expected a number of threads, got '4'"),
                       (lambda: viand.FeatureStore(shared_shop.repo_path, threads=-1), "expected a number of threads, got -1"),
                       (lambda: viand.FeatureStore(shared_shop.repo_path, memory="lots"), 'memory "lots" is no amount'),
                       (lambda: shared_shop.get_historical_features(ORDERS), 'give features=["view:feature", ...] or a feature service'),
                       (lambda: shared_shop.get_historical_features(features=["user_activity"], start_date="yesterday").rows(), 'start_date "yesterday"'),
                       (lambda: shared_shop.delete_feature_view("user_activity"), "take it out of the repo's definitions")):
        with pytest.raises(viand.Error) as error:
            call()
        assert text in str(error.value), str(error.value)
    with pytest.raises(AttributeError, match="a RetrievalJob has no attribute 'head'; to_df.. gives a DataFrame"):
        shared_shop.get_historical_features(ORDERS, features=["user_activity"]).head()


def test_stores_and_definitions_are_copied_and_pickled(shared_shop):
    """For joblib, multiprocessing and Ray: a store is opened again, a definition keeps its place in the user's file."""
    view = shared_shop.get_feature_view("user_activity")
    made = viand.FeatureView(name="v", entities=[viand.Entity(name="u")], source="s", window="1d", features={"n": viand.col("a").sum() > viand.lit(1)})
    for original in (view, made, shared_shop.get_feature_service("activity_v1"), viand.types.Array(viand.types.Int64), made[["n"]]):
        for again in (pickle.loads(pickle.dumps(original)), copy.deepcopy(original), copy.copy(original)):
            assert again == original and repr(again) == repr(original)
    assert pickle.loads(pickle.dumps(made)).site.place() == made.site.place()
    again = pickle.loads(pickle.dumps(shared_shop))
    assert again.repo_path == shared_shop.repo_path and len(again.get_historical_features(ORDERS, features=["user_activity"])) == 3


def test_rows_are_no_object_to_copy(shared_shop):
    job = shared_shop.get_historical_features(ORDERS, features=["user_activity"])
    assert copy.copy(job) is job and copy.deepcopy(job) is job
    with pytest.raises(TypeError, match=r"a RetrievalJob cannot be pickled; to_df\(\)"):
        pickle.dumps(job)


def test_columns_that_can_be_read_once_are_kept(shared_shop):
    job = shared_shop.get_historical_features({name: iter(values) for name, values in ORDERS.items()}, features=["user_activity"])
    job.explain()
    assert len(job) == 3
    with pytest.raises(viand.InputError, match='two columns of entity_df have the name "5"'):
        shared_shop.get_historical_features({**ORDERS, 5: [1] * 3, "5": [2] * 3}, features=["user_activity"])


def test_features_as_people_give_them(shared_shop):
    view = shared_shop.get_feature_view("user_activity")
    asked = (view, [view], view[["n_events"]], "user_activity", (name for name in ["user_activity"]), shared_shop.list_feature_services()[0])
    assert [len(shared_shop.get_historical_features(ORDERS, features).columns) for features in asked] == [6, 6, 4, 6, 6, 6]
    assert shared_shop.get_historical_features(ORDERS, view, True).full_feature_names
    for features, text in ((view.with_name("z"), "takes no alias and no join_key_map"), (5, "of the type int"), ({"a": 1}, "of the type dict"), ([5], "has a int in it")):
        with pytest.raises(viand.UsageError, match=text):
            shared_shop.get_historical_features(ORDERS, features)


def test_what_only_feast_has_is_listed_and_not_found(shared_shop):
    for kind in ("stream_feature_view", "on_demand_feature_view", "label_view", "permission", "validation_reference", "saved_dataset"):
        assert getattr(shared_shop, f"list_{kind}s")() == []
        with pytest.raises(viand.NotFound, match='there is no "x"'):
            getattr(shared_shop, f"get_{kind}")("x")
    assert shared_shop.get_snapshots("weekly").name == "weekly" and repr(shared_shop.get_feature_view("user_activity").projection)
    version, = shared_shop.list_feature_view_versions("user_activity")
    assert (version["version"], version["version_number"], version["created_timestamp"].tzinfo is not None) == ("v0", 0, True)
    shared_shop.close()


def test_arguments_of_feasts_apply(shop):
    user = shop.get_entity("user")
    assert not shop.apply([user], objects_to_delete=[user], partial=True, skip_feature_view_validation=True).has_effect
    with pytest.raises(viand.NotYet, match="removes objects by apply alone"):
        shop.apply([user], [user], partial=False)


def test_what_is_later_says_so(shared_shop):
    for name in ("materialize", "materialize_incremental", "get_online_features", "push", "get_online_features_async", "write_to_offline_store"):
        with pytest.raises(viand.NotYet, match="no features online yet"):
            getattr(shared_shop, name)(1, 2)


def test_no_repo_and_two_repos(tmp_path):
    with pytest.raises(viand.Error, match="feature_store.yaml"):
        viand.FeatureStore(tmp_path)
    with pytest.raises(viand.UsageError, match="the repo is named twice"):
        viand.FeatureStore(tmp_path, path=tmp_path)
    with pytest.raises(viand.UsageError, match="fs_yaml_file is other.yaml\n  hint: viand reads a file that is named feature_store.yaml"):
        viand.FeatureStore(fs_yaml_file="other.yaml")
    with pytest.raises(viand.UsageError, match="expected a number of threads, got 1000000"):
        viand.FeatureStore(tmp_path, threads=10 ** 6)


def test_feasts_names_of_the_repo(shop_files):
    for arguments in ({"repo_path": shop_files, "memory": 2 ** 30}, {"path": str(shop_files)}, {"fs_yaml_file": shop_files / "feature_store.yaml"}):
        assert viand.FeatureStore(**arguments).repo_path == str(shop_files)


def test_errors_have_the_command_lines_text(shared_shop):
    _, _, text = Viand().call(shared_shop.repo_path, "historical", "--spine", "labels:x", "--service", "activity", "-o", "x.csv")
    with pytest.raises(viand.Error) as error:
        shared_shop.get_historical_features("labels:x", service="activity")
    assert text == f"error: {error.value}\n"


def test_lineage_and_plans_are_shown(shared_shop):
    lineage = shared_shop.lineage("user_activity:total_amount")
    assert "total_amount" in str(lineage) and {"from", "to", "use"} <= set(lineage.edges[0])
    assert lineage._repr_svg_().startswith("<svg") and "<script" not in lineage.svg
    assert "digraph" in lineage.text("dot")
    tree = shared_shop.explain(ORDERS, ["user_activity"], analyze=True)
    assert "as-of join" in str(tree) and tree.measured["rows_out"] == 3


def test_what_a_notebook_shows(shop):
    job = shop.get_historical_features({**ORDERS, "note": ["<b>", None, "c"]}, features=["user_activity"])
    html = job._repr_html_()
    assert "3 rows, 6 columns" in html and "&lt;b&gt;" in html and "timestamp[us]" in html and "<i>null</i>" in html
    for shown in (shop, shop.plan(), shop.run(), shop.feature_views, shop.get_feature_view("user_activity")):
        assert "user_activity" in shown._repr_html_() or "nothing to change" in shown._repr_html_()


def test_objects_that_a_program_makes(shop, tmp_path):
    """Feast's way: store.apply([...]). They hold for this store, and the registry has them for others."""
    source = viand.FileSource(name="bought", path="data/events.parquet", timestamp_field="at")
    user = viand.Entity(name="user", join_keys=["user_id"], value_type=viand.ValueType.INT64)
    most = viand.FeatureView(name="most", entities=["user"], source=source, window="7d",
                             features={"most": viand.col("amount").max()})
    plan = shop.apply([source, most])
    assert {(change.action, change.name) for change in plan.effects()} == {("add", "bought"), ("add", "most")}
    assert shop.get_historical_features(ORDERS, features=["most"]).rows().cells(3, 0, 3) == [7.25, None, None]
    more = viand.FeatureView(name="least", entities=["user"], source=source, window="7d",
                             features={"least": viand.col("amount").min()})
    assert [change.name for change in shop.apply(more).effects()] == ["least"]
    assert not shop.plan().has_effect
    assert {"most", "least", "user_activity"} <= set(viand.FeatureStore(shop.repo_path).feature_views)
    wrong = viand.FeatureView(name="wrong", entities=["user"], source=source, window="7d", features={"x": viand.col("amuont").max()})
    with pytest.raises(viand.DefinitionError, match="amuont") as error:
        shop.apply([user, wrong])
    assert error.value.file.endswith("test_store.py") and error.value.line > 0
