"""Run a stand-in as the runner would run the action: `python -m tests.e2e.actions REPO PHASE`."""

from __future__ import annotations

import os
import sys

from tests.e2e.actions import STAND_INS
from tests.e2e.actions.base import Refused, read_call

action, phase = sys.argv[1:]
try:
    call = read_call(action, phase, os.environ)
    getattr(STAND_INS[action], phase)(call)
except Refused as problem:
    sys.exit(f"::error::{action}: {problem}")
