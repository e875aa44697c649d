//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Why a file could not be written: each message is one line with the path and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The folder that should hold the file is not there.
    #[error(
        "cannot write {}: the folder {} does not exist; make it, or choose another path",
        .path.display(), .folder.display()
    )]
    FolderMissing {
        /// The file that was to be written.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// What should be the folder is a file.
    #[error(
        "cannot write {}: {} is a file, not a folder; choose another path",
        .path.display(), .folder.display()
    )]
    FolderIsFile {
        /// The file that was to be written.
        path: PathBuf,
        /// The file that stands where its folder should be.
        folder: PathBuf,
    },
    /// The path names a folder.
    #[error("cannot write {}: it is a folder; add a file name", .path.display())]
    IsFolder {
        /// The path that was to be written.
        path: PathBuf,
    },
    /// The system forbids writing there.
    #[error(
        "cannot write {}: no permission to write in {}; choose another path or change its permissions",
        .path.display(), .folder.display()
    )]
    Forbidden {
        /// The file that was to be written.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// Anything else the system reports, a full disk for example.
    #[error("cannot write {}: {source}", .path.display())]
    Io {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How the names of temporary files begin and end.
const TEMPORARY: (&str, &str) = (".mote-", ".part");

/// Removes what processes that were killed while they wrote left in a folder that no other process writes to.
///
/// # Errors
/// [`WriteError`] when the folder cannot be read or a file not be removed.
pub fn remove_leftovers(folder: &Path) -> Result<(), WriteError> {
    let explain = |source| WriteError::Io { path: folder.into(), source };
    for entry in fs::read_dir(folder).map_err(explain)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1) {
            fs::remove_file(entry.path()).map_err(explain)?;
        }
    }
    Ok(())
}

/// Writes a file through a temporary one in the same folder, so that a reader sees the old file or the new one, never a part.
///
/// The temporary file is flushed, synced to disk and renamed over `path`. A symbolic link is followed, permissions of a file that is
/// replaced are kept, and a device or pipe (`/dev/null`) is written in place, because renaming would replace the device.
///
/// # Errors
///
/// [`WriteError`] with the path and the reason; the target is then as it was.
pub fn write_atomically<F>(path: &Path, write: F) -> Result<(), WriteError>
where
    F: FnOnce(&mut dyn Write) -> io::Result<()>,
{
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let existing = fs::metadata(&target).ok();
    if existing.as_ref().is_some_and(|m| m.is_dir()) || path.file_name().is_none() {
        return Err(WriteError::IsFolder { path: path.into() });
    }
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let explain = |error: io::Error| explain(path, &folder, error);
    if existing.as_ref().is_some_and(|m| !m.is_file()) {
        let mut device = File::options().write(true).open(&target).map_err(explain)?;
        return write(&mut device).and_then(|()| device.flush()).map_err(explain);
    }

    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    #[cfg(unix)]
    builder.permissions({
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(0o666) // the umask takes its share, as with any new file
    });
    let mut temporary = builder.tempfile_in(&folder).map_err(explain)?;
    {
        let mut buffered = BufWriter::new(temporary.as_file_mut());
        write(&mut buffered).and_then(|()| buffered.flush()).map_err(explain)?;
    }
    if let Some(metadata) = existing {
        temporary.as_file().set_permissions(metadata.permissions()).map_err(explain)?;
    }
    temporary.as_file().sync_all().map_err(explain)?;
    temporary.persist(&target).map_err(|e| explain(e.error))?;
    #[cfg(unix)]
    if let Ok(handle) = File::open(&folder) {
        let _ = handle.sync_all(); // some file systems cannot sync a folder; the file itself is safe
    }
    Ok(())
}

fn explain(path: &Path, folder: &Path, source: io::Error) -> WriteError {
    let path = path.to_path_buf();
    let folder = folder.to_path_buf();
    match source.kind() {
        io::ErrorKind::NotFound => {
            // An ancestor that is a file also reads as "not found" on some systems.
            match folder.ancestors().find(|a| a.exists()) {
                Some(a) if a.is_file() => WriteError::FolderIsFile { path, folder: a.to_path_buf() },
                // The folder is there but takes no files, as in /proc.
                Some(a) if a == folder => WriteError::Forbidden { path, folder },
                _ => WriteError::FolderMissing { path, folder },
            }
        }
        io::ErrorKind::NotADirectory => {
            let file = folder.ancestors().find(|a| a.is_file());
            let folder = file.map_or_else(|| folder.clone(), Path::to_path_buf);
            WriteError::FolderIsFile { path, folder }
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => WriteError::Forbidden { path, folder },
        _ => WriteError::Io { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_and_no_temporary_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomically(&path, |w| w.write_all(b"one")).unwrap();
        write_atomically(&path, |w| w.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names_in(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomically(&path, |w| w.write_all(b"old")).unwrap();
        let error = write_atomically(&path, |w| {
            w.write_all(b"new")?;
            Err(io::Error::other("the disk is full"))
        })
        .unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), ["a.txt"]);
        assert!(error.to_string().ends_with("the disk is full"), "{error}");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none").join("a.txt");
        let error = write_atomically(&path, |_| Ok(())).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, WriteError::FolderMissing { .. }), "{text}");
        assert!(text.contains("none does not exist"), "{text}");
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plain"), b"x").unwrap();
        for inner in ["plain/a.txt", "plain/b/a.txt"] {
            let error = write_atomically(&folder.path().join(inner), |_| Ok(())).unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, WriteError::FolderIsFile { .. }), "{text}");
            assert!(text.contains("plain is a file"), "{text}");
        }
    }

    #[test]
    fn a_folder_as_the_target_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomically(folder.path(), |_| Ok(())).unwrap_err();
        assert!(matches!(error, WriteError::IsFolder { .. }), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_place_where_nothing_may_be_made_is_refused_with_its_path() {
        let error = write_atomically(Path::new("/proc/a.txt"), |_| Ok(())).unwrap_err();
        assert!(error.to_string().starts_with("cannot write /proc/a.txt: "));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_stays_a_device() {
        use std::os::unix::fs::FileTypeExt;
        write_atomically(Path::new("/dev/null"), |w| w.write_all(b"x")).unwrap();
        let kind = fs::metadata("/dev/null").unwrap().file_type();
        assert!(kind.is_char_device());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_permissions_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, b"old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        write_atomically(&link, |w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&real).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
}
