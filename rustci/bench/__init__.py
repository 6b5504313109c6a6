"""The benchmark gate: whether head is slower than base, beyond what this machine's noise explains.

Needs Python 3.9 and nothing else: the same source is written into a user's repository and run
there as `python3 .github/rustci/bench`. It therefore imports the standard library and itself alone.

One straight flow: `worktrees` → `builds` (two of them) → `measure` (fresh processes, interleaved)
→ `record` (one JSON line per process) → `judge` (pure; the same record, the same verdict)
→ `report` and `plots` (what people look at).
"""

SCHEMA = 1
"""The version of every JSON that this package writes."""
