"""Runs the wasm-bindgen tests in Node.js, or in Chrome where a test asks for a browser.

On where a package depends on `wasm-bindgen-test` and `platforms.targets` names
`wasm32-unknown-unknown`. The runner is built in just the version of wasm-bindgen that Cargo.lock
holds: another one refuses the tests. `wasm_bindgen_test_configure!(run_in_browser)` decides where
a test runs; Chrome and its driver are on the runner's image.

It takes one Linux lane, in which the runner is built first.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    TOOLCHAIN_TROUBLE,
    WASM,
    Verdict,
    capped_lints,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    package_specs,
    primary_toolchain,
    rustc_pattern,
    setup,
    wasm_tested,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "wasm"
TITLE = "WebAssembly tests"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`rust Wasm file schema version` differs",
        cause="The test runner is of another version than the crate wasm-bindgen.",
        fix="Leave the step that reads the version from Cargo.lock as it is.",
    ),
    Trouble(
        symptom="getrandom: `the wasm*-unknown-unknown targets are not supported by default`",
        cause="The crate does not know whether there is JavaScript around it.",
        fix="Enable its feature for JavaScript on this target; its documentation names it.",
    ),
    Trouble(
        symptom="Tests in a private module do not run",
        cause="The runner finds only what the crate exports.",
        fix="Put them into the root of the crate or into `pub mod`.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where wasm-bindgen's test harness is a dependency and the target is named."""
    tested = wasm_tested(project)
    if not tested:
        reason = "no package depends on `wasm-bindgen-test`"
        return Verdict(on=False, possible=False, reason=reason)
    if WASM not in config.platforms.targets:
        return Verdict(on=False, reason=f"`platforms.targets` does not name `{WASM}`")
    return Verdict(on=True, reason=f"`{tested[0].name}` depends on `wasm-bindgen-test`")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    label = linux_runner(config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("This target is promised: its tests run in Node.js or a browser."),
        runner=label,
        timeout=minutes(20, project),
        env=lane_env(
            config,
            toolchain,
            **capped_lints(project),
            PACKAGES=package_specs(project, wasm_tested(project)),
        ),
        setup=setup(project, config, runners=(label,), targets=(WASM,)),
        variables=("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",),
        details={"flags": Verbatim.words(locked_flag(project)), "rustc": rustc_pattern(toolchain)},
        troubles=(*TROUBLES, TOOLCHAIN_TROUBLE, LOCK_TROUBLE),
    )
