use criterion::{black_box, criterion_group, criterion_main, Criterion};

fn digest(criterion: &mut Criterion) {
    let bytes = [7; 4096];
    criterion.bench_function("digest", |bencher| {
        bencher.iter(|| measured::digest(black_box(&bytes)));
    });
}

criterion_group!(benches, digest);
criterion_main!(benches);
