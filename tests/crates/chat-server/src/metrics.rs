//! The registry's counters in the Prometheus text format.

use crate::registry::Stats;

/// Renders every counter with its type, as <https://prometheus.io/docs/instrumenting/exposition_formats/> asks.
pub(crate) fn render(stats: Stats) -> String {
    [
        ("chat_clients", "gauge", stats.clients),
        ("chat_rooms", "gauge", stats.rooms),
        ("chat_messages_total", "counter", stats.messages),
        ("chat_evictions_total", "counter", stats.evictions),
    ]
    .map(|(name, kind, value)| format!("# TYPE {name} {kind}\n{name} {value}\n"))
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_is_a_type_line_and_a_sample_line() {
        let text = render(Stats { clients: 3, rooms: 2, messages: 41, evictions: 1 });

        assert_eq!(
            text,
            "# TYPE chat_clients gauge\nchat_clients 3\n\
             # TYPE chat_rooms gauge\nchat_rooms 2\n\
             # TYPE chat_messages_total counter\nchat_messages_total 41\n\
             # TYPE chat_evictions_total counter\nchat_evictions_total 1\n"
        );
    }
}
