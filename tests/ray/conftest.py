"""One cluster for all tests of tests/ray: starting it takes longer than most of them. A test that kills nodes starts its own."""

import pytest
from cluster import RayCluster


@pytest.fixture(scope="session")
def ray_cluster():
    """A head without CPUs and two nodes of one CPU each."""
    with RayCluster() as cluster:
        yield cluster
