#[cfg(windows)]
pub fn name() -> &'static str {
    "windows"
}

#[cfg(all(unix, not(target_os = "macos")))]
pub use std::os::unix::ffi::OsStrExt;

pub fn linux() -> bool {
    cfg!(target_os = "linux")
}
