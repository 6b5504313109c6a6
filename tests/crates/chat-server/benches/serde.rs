//! Decoding what clients send and encoding what they receive.

use std::hint::black_box;

use chat_server::protocol::{RoomName, ServerFrame, Text, UserName, decode, encode};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const TEXT_BYTES: [usize; 2] = [32, 4096];

fn decoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("serde/decode_message");
    for bytes in TEXT_BYTES {
        let json = format!(r#"{{"type":"message","room":"lobby","text":"{}"}}"#, "x".repeat(bytes));
        group.throughput(Throughput::Bytes(json.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(bytes), &json, |b, json| {
            b.iter(|| decode(black_box(json)).unwrap());
        });
    }
    group.finish();
}

fn encoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("serde/encode_message");
    for bytes in TEXT_BYTES {
        let frame = ServerFrame::Message {
            room: RoomName::new("lobby").unwrap(),
            user: UserName::new("ana").unwrap(),
            text: Text::new("x".repeat(bytes)).unwrap(),
            seq: 1,
        };
        group.throughput(Throughput::Bytes(encode(&frame).len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(bytes), &frame, |b, frame| {
            b.iter(|| encode(black_box(frame)));
        });
    }
    group.finish();
}

criterion_group!(benches, decoding, encoding);
criterion_main!(benches);
