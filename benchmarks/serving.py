"""Settings of a platform that is measured: the product's, with the bare views beside its routes."""

from cdp.settings import *  # noqa: F403  settings of Django are names of a module

ROOT_URLCONF = "benchmarks.bare"
