"""deploy/ as far as it can be held without Docker and Kubernetes: every field exists and has its type, versions are this
checkout's, what is mounted is there, and the commands are viand's."""

import difflib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cluster import ROOT, RayCluster

DEPLOY = ROOT / "deploy"
FIELDS = yaml.safe_load((ROOT / "tests" / "ray" / "kuberay_fields.yaml").read_text())
TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "number": (int, float), "quantity": (str, int)}
VERSIONS = (ROOT / "versions.txt").read_text()
RAY_VERSION = re.search(r"^test-wheel ray==(\S+)", VERSIONS, re.M)[1]
VIAND_VERSION = re.search(r"project\(viand VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
MANIFESTS = {"raycluster.yaml": "RayCluster", "rayjob.yaml": "RayJob"}


def problems(value, allowed, path):
    """What is wrong with a value: unknown and missing fields, other types."""
    if isinstance(allowed, str):
        right = value in allowed.split("|") if "|" in allowed else isinstance(value, TYPES[allowed])
        return [] if right else [f"{path}: {value!r} is no {allowed}"]
    if isinstance(allowed, list):
        return [found for index, item in enumerate(value) for found in problems(item, allowed[0], f"{path}[{index}]")]
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no object"]
    found = [f"{path}: {name} is missing" for name in allowed.get("required", []) if name not in value]
    for name, item in value.items():
        kind = allowed.get(name, allowed.get("*"))
        if kind is None:
            found.append(f"{path}: unknown field {name}; near: {difflib.get_close_matches(name, allowed)}")
        else:
            found += problems(item, kind, f"{path}.{name}")
    return found


def load(name):
    return yaml.safe_load((DEPLOY / name).read_text())


def cluster_spec(manifest):
    return manifest["spec"] if manifest["kind"] == "RayCluster" else manifest["spec"]["rayClusterSpec"]


def pods(manifest):
    spec = cluster_spec(manifest)
    return [group["template"]["spec"] for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"])]


@pytest.mark.parametrize("name", MANIFESTS)
def test_fields_are_kuberays(name):
    manifest = load(name)
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", MANIFESTS[name])
    assert problems(manifest, FIELDS[MANIFESTS[name]], name) == []


def test_a_wrong_field_would_be_found():
    manifest = load("raycluster.yaml")
    manifest["spec"]["workerGroupSpec"] = manifest["spec"].pop("workerGroupSpecs")
    manifest["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] = 0
    found = problems(manifest, FIELDS["RayCluster"], "raycluster.yaml")
    assert found == ["raycluster.yaml.spec.headGroupSpec.rayStartParams.num-cpus: 0 is no string",
                     "raycluster.yaml.spec: unknown field workerGroupSpec; near: ['workerGroupSpecs', 'headGroupSpec']"]


@pytest.mark.parametrize("name", MANIFESTS)
def test_pods_have_this_version_and_what_they_mount(name):
    manifest = load(name)
    assert cluster_spec(manifest)["rayVersion"] == RAY_VERSION
    assert cluster_spec(manifest)["authOptions"] == {"mode": "token"}, "Ray runs whatever reaches its port"
    claims = {document["metadata"]["name"] for document in yaml.safe_load_all((DEPLOY / "storage.yaml").read_text())}
    for pod in pods(manifest):
        (container,) = pod["containers"]
        assert container["image"] == f"viand:{VIAND_VERSION}"
        assert container["resources"]["requests"] == container["resources"]["limits"], "Ray counts limits, Kubernetes gives requests"
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
        for volume in volumes.values():
            assert volume.get("persistentVolumeClaim", {}).get("claimName", "viand-data") in claims


def test_dockerfile_has_this_ray_and_copies_what_is_there():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert f"FROM rayproject/ray:{RAY_VERSION}-py311" in lines
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((ROOT / source).exists() for source in line.split()[1:-1]), line


def documented_commands():
    """The commands of viand that deploy/ and docs/RAY.md give."""
    found = [load("rayjob.yaml")["spec"]["entrypoint"]]
    for text in ((DEPLOY / "runtime_env.yaml").read_text(), (ROOT / "docs" / "RAY.md").read_text()):
        found += re.findall(r"-- (viand .*)", text)
        found += re.findall(r"^    (viand .*?)(?:  +.*)?$", text, re.M)
    return found


def test_options_in_the_commands_exist(viand):
    def options(*command):
        """The options that a command's help names; of the program: the global ones."""
        said = subprocess.run([viand.program, *command, "--help"], capture_output=True, text=True, timeout=60)
        return set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", said.stdout))

    general = options()
    commands = documented_commands()
    assert len(commands) >= 4
    for command in commands:
        _, name, *arguments = shlex.split(command)
        known = general | options(name)
        used = {argument for argument in arguments if argument.startswith("-")}
        assert used <= known, f"{command}: {used - known} is not known"


def a_submitted_job_runs_the_documented_command(viand, tmp_path):
    """The recipe of docs/RAY.md on the tests' cluster: `ray job submit` to the dashboard, the driver on the head."""
    (recipe,) = re.findall(r"^ *(ray job submit --address http://127.0.0.1:8265 -- viand .*)$", (ROOT / "docs" / "RAY.md").read_text(), re.M)
    repo = tmp_path / "shop"
    assert viand.call(repo, "init", repo, "--template", "minimal")[0] == 0
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "viand").symlink_to(viand.program)
    path = f"{bin_folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    with RayCluster(cpus=(0, 1), dashboard=True, environment={"PATH": path}) as cluster:
        command = recipe.replace("http://127.0.0.1:8265", f"http://{cluster.dashboard}").replace("/data/retail", str(repo))
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=180, env=cluster.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "succeeded" in done.stdout and "done in" in done.stdout
    assert (repo / "data" / "offline").exists()


if os.environ.get("VIAND_LONG"):
    test_a_submitted_job = a_submitted_job_runs_the_documented_command
