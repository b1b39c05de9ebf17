// What a refusal means for the file, and for those that wait.
import { Unreadable } from "./sender.js";
import { Refused } from "./tus.js";

// Refusals that every further file would meet as well.
export const STOPPING = new Set([
    "not_signed_in", "not_permitted", "csrf_failed", "uploads_off", "illegal_transition",
    "expired", "session_submitted", "session_busy", "storage_full", "not_found",
]);
// Refusals that are not about the file: the same bytes may be taken another time.
const PASSING = new Set([
    "scanner_unavailable", "unavailable", "cut_off", "upload_locked", "offset_conflict",
    "checksum_mismatch", "digest_mismatch", "size_mismatch",
]);

// Give what may still bring a file in that was not received: retry, choose (again),
// numbered, or "" where nothing does.
export function remedyOf(error) {
    if (error instanceof Unreadable) {
        return "choose";
    }
    if (!(error instanceof Refused) || PASSING.has(error.code)) {
        return "retry";
    }
    if (error.code === "name_taken") {
        return "numbered";
    }
    // Without a code it was not the portal that answered.
    return error.code || error.status === 413 ? "" : "retry";
}
