use ring::Ring;

#[test]
fn elements_come_oldest_first() {
    let mut ring = Ring::<u8, 3>::new();
    for element in 1..=5 {
        ring.push(element);
    }
    assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [3, 4, 5]);
}

#[cfg(feature = "sum")]
#[test]
fn all_elements_are_summed() {
    let mut ring = Ring::<u64, 2>::new();
    ring.push(1);
    ring.push(2);
    assert_eq!(ring.sum(), 3);
}

#[cfg(feature = "text")]
#[test]
fn elements_are_told_with_blanks() {
    let mut ring = Ring::<u64, 2>::new();
    ring.push(1);
    ring.push(2);
    assert_eq!(ring.text(), "1 2");
}
