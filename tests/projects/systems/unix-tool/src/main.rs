use std::os::unix::fs::PermissionsExt;

fn main() {
    nix::unistd::sync();
}
