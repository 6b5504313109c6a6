use proptest::prelude::*;
use ring::Ring;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ring_holds_the_last_elements(elements: Vec<u8>) {
        let mut ring = Ring::<u8, 4>::new();
        for &element in &elements {
            ring.push(element);
        }
        let last = &elements[elements.len().saturating_sub(4)..];
        prop_assert_eq!(ring.iter().copied().collect::<Vec<_>>(), last);
    }
}
