cargo audit
bash ci/furthest.sh
