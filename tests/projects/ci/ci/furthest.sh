cargo semver-checks
