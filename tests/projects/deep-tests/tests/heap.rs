//! Writing a line allocates once. In a file of its own: the allocator counts for the whole process.
#![cfg(feature = "dhat-heap")]

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[test]
fn a_line_allocates_once() {
    let numbers = [1, 22, 333];
    let _profiler = dhat::Profiler::builder().testing().build();
    let text = bounded_slot::line(&numbers);
    let found = dhat::HeapStats::get();
    assert_eq!(text, "1 22 333");
    dhat::assert_eq!(found.total_blocks, 1);
}
