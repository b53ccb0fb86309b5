"""The Pulumi program. It registers one stack: a slice of an environment."""

import atexit
import gc
from pathlib import Path

import pulumi

from stacks.deploy import deploy

gc.disable()  # registering leaves little to collect; looking for it takes more than half of the time
atexit.register(gc.freeze)
deploy(Path(__file__).parent, pulumi.get_stack())
