"""`python3 .github/rustci/affected`, a folder on its own, or `python3 -m` for a package."""

from __future__ import annotations

import sys


def _as_package() -> str:
    """Make the folder that this file is in a package, and keep its modules to themselves.

    Python puts the folder first on `sys.path`, where its modules could hide the standard library's.
    """
    folder = sys.path.pop(0)
    import importlib.util
    from pathlib import Path

    name = Path(folder).name
    spec = importlib.util.spec_from_file_location(
        name, Path(folder) / "__init__.py", submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(folder)
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return name


if __name__ == "__main__":
    package = __package__ or _as_package()
    from importlib import import_module

    sys.exit(import_module(f"{package}.cli").main())
