#![cfg_attr(feature = "nightly", feature(doc_cfg))]

#[cfg(all(feature = "tokio", feature = "async-std"))]
compile_error!("choose one runtime");

#[cfg(all(feature = "std", not(feature = "tokio")))]
const _: () = ();
