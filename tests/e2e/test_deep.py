"""Each scheduled check is red for a fault of the kind that it is there to find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import pytest

from rustci.jobs import CATALOGUE
from tests.e2e import tools
from tests.e2e.conftest import FULL
from tests.e2e.faults import Edit
from tests.e2e.harness import Event, Run, execute
from tests.e2e.machine import ROOT, Machine
from tests.e2e.report import Report
from tests.e2e.repository import commit, prepare

pytestmark = pytest.mark.e2e

Workflow = Literal["ci.yml", "scheduled.yml"]

PROJECTS = ROOT / "tests" / "projects"
LIBRARY, TESTS = "src/lib.rs", "tests/lines.rs"


@dataclass(frozen=True)
class Fault:
    """What is wrong, which job tells, at which step and in which words."""

    about: str
    job: str
    step: str
    says: str
    edits: tuple[Edit, ...]
    project: str = "deep-tests"
    workflow: Workflow = "scheduled.yml"
    keeps: str = ""
    """Where among the artifacts the file lies that tells more."""
    sound: tuple[Edit, ...] = ()
    """A change that has to stay green, where none at all would not do."""
    further: bool = False
    """Left to the long session: a tool or the standard library is built first."""


USE_AFTER_FREE = Edit(
    LIBRARY,
    old="        assert!(POOL.take().is_none());\n",
    new="        let gone = Box::new(POOL.take().is_none());\n"
    "        let place: *const bool = &raw const *gone;\n"
    "        drop(gone);\n"
    "        std::hint::black_box(unsafe { place.read() });\n",
)
SHARED_BYTE = (
    # Every caller gets the same byte now.
    Edit(LIBRARY, old="fetch_add(1", new="fetch_add(0"),
    Edit(LIBRARY, old="        assert!(POOL.take().is_none());\n", new=""),
)
LONG_BY_ONE = (
    Edit(LIBRARY, old="(told <= rest.len())", new="(told <= packet.len())"),
    Edit(LIBRARY, old="        assert_eq!(length(&[3, 0, 0]), None);\n", new=""),
)
IN_TWO_LINES = Edit(
    LIBRARY,
    old="    (told <= rest.len()).then_some(told)\n",
    new="    let fits = told <= rest.len();\n    fits.then_some(told)\n",
)
UNTESTED = (
    IN_TWO_LINES,
    Edit(LIBRARY, old="        assert_eq!(length(&[2, 0, 0]), Some(2));\n", new=""),
    Edit(LIBRARY, old="        assert_eq!(length(&[1, 0, 0]), Some(1));\n", new=""),
)
MIRI = Fault(
    "threads that share a byte",
    "miri",
    "Run the tests in Miri",
    "Data race detected",
    SHARED_BYTE,
    project="deep-checks",
    workflow="ci.yml",
)
FUZZ = Fault(
    "a length that is too long by one",
    "fuzz",
    "Run each for a while",
    "length < packet.len()",
    LONG_BY_ONE,
    project="deep-checks",
    workflow="ci.yml",
    keeps="crashes/*/crash-*",
    # As generated, but for the minutes.
    sound=(Edit(".github/workflows/ci.yml", old='EACH: "300"', new='EACH: "5"'),),
    further=True,
)
MUTANTS = Fault(
    "a comparison that no test looks at",
    "mutants",
    "Change the changed code and run its tests",
    "MISSED",
    UNTESTED,
    project="deep-checks",
    workflow="ci.yml",
    keeps="mutants/missed.txt",
    sound=(IN_TWO_LINES,),
    further=True,
)
SANITIZERS = Fault(
    "a byte that is read after it was freed",
    "sanitizers",
    "Run the tests",
    "AddressSanitizer: heap-use-after-free",
    (USE_AFTER_FREE,),
    project="deep-checks",
    further=True,
)

FAULTS = (
    Fault(
        "an ignored test that fails",
        "ignored",
        "Run the ignored tests",
        "every_number_goes_through",
        (Edit(TESTS, old="Some(number));\n    }\n", new="Some(number + 1));\n    }\n"),),
    ),
    Fault(
        "a property that one case in 800 breaks",
        "property",
        "Run the property tests",
        "a_line_reads_back",
        (
            Edit(
                LIBRARY,
                old="    text.truncate(text.trim_end().len());\n",
                new="    text.truncate(text.trim_end().len());\n"
                "    if numbers.len() == 97 && numbers[0] % 8 == 0 {\n"
                "        text.clear();\n"
                "    }\n",
            ),
        ),
        keeps="property-regressions/**/*.proptest-regressions",
    ),
    Fault(
        "an allocation beyond the budget",
        "heap",
        "Run each heap test in its own process",
        "dhat: assertion failed",
        (Edit(LIBRARY, old="String::with_capacity(11 * numbers.len())", new="String::new()"),),
        keeps="heap-profiles/**/dhat-heap.json",
    ),
    Fault(
        "a race that no ordinary run meets",
        "loom",
        "Try the interleavings",
        "one_of_two_takes_it",
        (
            Edit(
                LIBRARY,
                old="        u32::try_from(self.0.swap(EMPTY, Ordering::AcqRel)).ok()\n",
                new="        let found = self.0.load(Ordering::Acquire);\n"
                "        self.0.store(EMPTY, Ordering::Release);\n"
                "        u32::try_from(found).ok()\n",
            ),
        ),
    ),
    Fault(
        "a lower bound that is too low",
        "minimal",
        "Compile with the oldest dependencies",
        "cannot find `Buffer`",
        (Edit("Cargo.toml", old='itoa = "1.0.5"', new='itoa = "0.4.0"'),),
    ),
    Fault(
        "a dependency whose newest release breaks a test",
        "latest",
        "Run the tests",
        "the_table_is_that_of_unicode_16",
        (
            Edit(
                "Cargo.toml",
                old="[dev-dependencies]\n",
                new='[dev-dependencies]\nunicode-width = "0.2.1"\n',
            ),
            Edit("Cargo.lock", old=' "proptest",\n]', new=' "proptest",\n "unicode-width",\n]'),
            Edit(
                "Cargo.lock",
                new='\n[[package]]\nname = "unicode-width"\nversion = "0.2.1"\n'
                'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
                'checksum = "4a1a07cc7db3810833284e8d372ccdc6da29741639ecc70c9ec107df0fa6154c"\n',
            ),
            Edit(
                "tests/width.rs",
                new="#[test]\nfn the_table_is_that_of_unicode_16() {\n"
                "    assert_eq!(unicode_width::UNICODE_VERSION.0, 16);\n}\n",
            ),
        ),
    ),
    Fault(
        "a snapshot whose test is gone",
        "snapshots",
        "Compare the snapshots and look for orphans",
        "encountered unreferenced snapshot",
        (
            Edit(
                TESTS,
                old='    insta::assert_snapshot!("squares", line(&[0, 1, 4, 9]));\n',
                new="",
            ),
        ),
        further=True,
    ),
    MIRI,
    replace(MIRI, job="miri-deep", workflow="scheduled.yml", further=True),
    SANITIZERS,
    replace(
        SANITIZERS,
        about="threads that share a byte",
        says="ThreadSanitizer: data race",
        # Without an overflow, which every run would meet.
        edits=(*SHARED_BYTE, Edit(LIBRARY, old="unwrap() += 1;", new="unwrap() = 1;")),
    ),
    Fault(
        "a string that breaks what the standard library asks for",
        "careful",
        "Run the tests",
        "assertion failed: memchr",
        (
            Edit(
                LIBRARY,
                old="        assert_eq!(length(&[]), None);\n",
                new="        assert_eq!(length(&[]), None);\n"
                "        let text = unsafe { std::ffi::CString::from_vec_unchecked(vec![1, 0]) };\n"
                "        assert_eq!(text.to_bytes().len(), 2);\n",
            ),
        ),
        project="deep-checks",
        further=True,
    ),
    FUZZ,
    replace(
        FUZZ,
        job="fuzz-deep",
        workflow="scheduled.yml",
        step="Run each for long",
        keeps="crashes-*/*/crash-*",
        sound=(Edit(".github/workflows/scheduled.yml", old='EACH: "600"', new='EACH: "5"'),),
    ),
    MUTANTS,
    replace(
        MUTANTS,
        job="mutants-deep",
        workflow="scheduled.yml",
        step="Change the code and run its tests",
        keeps="mutants-*/missed.txt",
    ),
)
TOOLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "careful": ("cargo-careful",),
        "fuzz": ("cargo-fuzz",),
        "minimal": ("cargo-minimal-versions",),
        "mutants": ("cargo-mutants",),
        "snapshots": ("cargo-insta",),
    }
)
COMPONENTS = MappingProxyType({"miri": "miri", "sanitizers": "rust-src", "careful": "rust-src"})
"""What a job needs of nightly Rust besides."""


def project(fault: Fault, here: Machine, folder: Path) -> Path:
    """Return the fault's project, sound as yet, with its job alone; build what the job installs."""
    job = fault.job.removesuffix("-deep")
    component = COMPONENTS.get(job)
    if component and not here.rustup.toolchains["nightly"].has(component, here.rustup.host):
        pytest.skip(f"needs the component {component} of Rust nightly, which is not installed")
    tools.build(here.tools, *TOOLS.get(job, ()))
    others = [one.ID for one in CATALOGUE if one.ID not in {job, "semver"}]
    answers = (f"jobs.{job}=true", *(f"jobs.{other}=false" for other in others))
    return prepare(PROJECTS / fault.project, folder, *(f"--set={answer}" for answer in answers))


def run(fault: Fault, here: Machine, root: Path, state: Path) -> Run:
    event: Event = "schedule" if fault.workflow == "scheduled.yml" else "pull_request"
    return execute(here, root, event, fault.workflow, state=state)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=f"{fault.job}-{fault.about.replace(' ', '-')}")
        for fault in FAULTS
        if FULL or not fault.further
    ],
)
def test_a_fault_is_red(fault: Fault, here: Machine, report: Report, tmp_path: Path) -> None:
    root = project(fault, here, tmp_path / fault.project)
    for edit in fault.edits:
        edit.apply(root)
    commit(root, "Change something")
    found = run(fault, here, root, tmp_path / "state")
    assert set(found.red()) - {"ci"} == {fault.job}, found.output[-4000:]
    telling = [o for o in found.outcomes if o.job == fault.job and fault.says in o.log]
    assert (fault.step,) in {lane.failed for lane in telling}, found.explain()
    if fault.keeps:
        assert list((tmp_path / "state" / "artifacts").glob(fault.keeps))
    report.faults.append((fault.about, ", ".join(found.red())))


CHECKS = {fault.job: fault for fault in FAULTS if fault.project == "deep-checks"}


@pytest.mark.skipif(not FULL, reason="takes half an hour")
@pytest.mark.parametrize("job", CHECKS)
def test_a_sound_project_is_green(job: str, here: Machine, tmp_path: Path) -> None:
    fault = CHECKS[job]
    root = project(fault, here, tmp_path / fault.project)
    for edit in fault.sound:
        edit.apply(root)
    commit(root, "Change something")
    found = run(fault, here, root, tmp_path / "state")
    assert {outcome.state for outcome in found.outcomes} == {"green"}, found.explain()
