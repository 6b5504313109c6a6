#!/bin/sh
set -e
cargo deny check
bash ci/further.sh
