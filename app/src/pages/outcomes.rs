//! What was done, in words, shown once after a form was carried out (`?done=code`).

/// The words of a code; nothing for a code that is not known.
pub(crate) fn words(code: &str) -> Option<&'static str> {
    Some(match code {
        "task-saved" => "The task is saved.",
        "task-copied" => "This is the copy. It is inactive until you switch it on.",
        "task-activated" => "The task is active: it runs by its schedule, counted from now.",
        "task-deactivated" => "The task is inactive: it does not run by its schedule.",
        "task-default" => "The field settings of this task now apply to single users.",
        "task-deleted" => "The task is deleted. Its runs stay in the list of runs.",
        "user-created" => "The user is created.",
        "user-saved" => "The user is saved.",
        "user-marked" => "The user is marked for deletion.",
        "user-undeleted" => "The user is no longer marked for deletion.",
        "loan-returned" => "The loan is returned.",
        "request-cancelled" => "The request is cancelled.",
        "residue-removed" => "The text is removed.",
        "residue-kept" => "The text stays.",
        "residue-gone" => "It is noted that nothing stands there any more.",
        "files-cleaned" => "The database files are written anew: no old row is left in them.",
        "hold-placed" => "The legal hold is in force.",
        "hold-reviewed" => "The review date is saved. The legal hold stays in force.",
        "release-asked" => "The release is asked for. Now somebody else has to release the legal hold.",
        "hold-released" => "The legal hold is released.",
        "approval-asked" => "Approval is asked for. Now somebody else has to approve.",
        "approved" => "It is approved.",
        "declined" => "It is not approved.",
        "charge-settled" => "The charge is settled.",
        "password-changed" => "Your password is changed. Your other sessions have ended.",
        "session-ended" => "The session has ended.",
        "sessions-ended" => "All sessions of this member of staff have ended.",
        "staff-added" => "The user is staff now.",
        "staff-disabled" => "This member of staff cannot sign in any more.",
        "role-given" => "The role is given. The user has to sign in again.",
        "role-taken" => "The role is taken. The user has to sign in again.",
        _ => return None,
    })
}
