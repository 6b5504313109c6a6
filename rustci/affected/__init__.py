"""Which packages of a workspace a pull request affects.

Needs Python 3.9, git and cargo: the same source is written into a user's repository and run there
as `python3 .github/rustci/affected`. It therefore imports the standard library and itself alone.

One straight flow: `changes` (paths, from git) and `workspace` (packages, from cargo, and what their
files say that they `reads`) → `selection` (pure) → `cli` (what the jobs are told, and people).

It fails closed: whatever it does not understand affects every package.
"""
