"""How results are shown: `text` for people, `json` for scripts."""
