// What the portal has of the session, and which chosen files it has already.
import { isSame } from "./sender.js";
import * as tus from "./tus.js";
import { data, say, words } from "./words.js";

// Larger files are not read only to find out whether they are the same.
const COMPARED_BYTES = 256 << 20;

// Put the session's files and unfinished uploads into the queue.
export async function load(queue) {
    const modified = new Map();
    const unfinished = [];
    if (data.takesFiles) {
        for await (const rows of tus.begun()) {
            for (const row of rows) {
                modified.set(tus.uuidOf(row.url), row.last_modified);
                if (!row.finished) {
                    unfinished.push(row);
                }
            }
        }
    }
    for await (const rows of tus.files()) {
        rows.forEach((row) => queue.add(keptItem(row, modified.get(row.uuid) || "")));
    }
    unfinished.forEach((row) => queue.add(unfinishedItem(row)));
}

function keptItem(row, modified) {
    const size = row.size_bytes;
    return {
        path: row.relative_path || row.original_name,
        title: row.relative_path || row.name,
        state: row.stored ? "stored" : "kept",
        uuid: row.uuid,
        sha256: row.sha256,
        ...{ size, modified, offset: size, sent: size },
    };
}

function unfinishedItem(row) {
    const { name, offset, url } = row;
    const path = row.relative_path || name;
    const folder = Boolean(row.relative_path);
    return {
        ...{ path, title: path, name, folder, offset, url, row },
        size: row.length,
        sent: offset,
        modified: row.last_modified,
        state: "unfinished",
    };
}

// Put a chosen file into the queue; false where it is there already.
export async function take(queue, { file, path }) {
    const chosen = itemOf(file, path);
    const there = queue.at(path);
    const same = there.find((item) => isIt(item, chosen));
    if (same) {
        return goOn(queue, same, file);
    }
    const kept = there.filter((item) => ["kept", "stored"].includes(item.state));
    for (const item of kept) {
        if (await haveSameBytes(file, item)) {
            return false;
        }
    }
    const reason = fault(file) || (kept.length ? words.taken : "");
    const code = reason && reason === words.taken ? "name_taken" : "";
    const item = queue.add({ ...chosen, state: reason ? "failed" : "waiting", reason, code });
    if (reason) {
        queue.tell("failed", item);
    }
    queue.start();
    return true;
}

function itemOf(file, path) {
    const folder = path.includes("/");
    return {
        ...{ file, path, folder, title: path, name: file.name, mine: true },
        // Its place in the folder is kept beside, so a number in its name harms nothing.
        numbered: folder,
        size: file.size,
        modified: String(file.lastModified),
    };
}

function isIt(item, chosen) {
    const row = item.row;
    return row ? isSame(row, chosen) : item.size === chosen.size && item.modified === chosen.modified;
}

// The same file was chosen again: go on with it where it stopped.
function goOn(queue, item, file) {
    if (!["unfinished", "failed", "paused"].includes(item.state)) {
        return false;
    }
    Object.assign(item, { file, mine: true, numbered: item.numbered || item.folder });
    retry(queue, item);
    return true;
}

export function retry(queue, item, numbered = item.numbered) {
    item.numbered = numbered;
    const reason = fault(item.file);
    if (reason) {
        queue.set(item, "failed", reason);
    } else {
        queue.queue(item);
    }
}

// What can be told without sending a byte; the portal asks again.
function fault(file) {
    const dot = file.name.lastIndexOf(".");
    const extension = dot > 0 ? file.name.slice(dot + 1).toLowerCase() : "";
    if (!data.accepted.includes(extension)) {
        return words.badKind;
    }
    return file.size > data.maxBytes ? say(words.tooLarge, { limit: data.maxMb }) : "";
}

// Only equal bytes are passed over; where that cannot be told, a person decides.
async function haveSameBytes(file, item) {
    const subtle = globalThis.crypto?.subtle;
    if (!subtle || !item.sha256 || file.size !== item.size || file.size > COMPARED_BYTES) {
        return false;
    }
    try {
        const sum = new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer()));
        const hex = Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
        return hex === item.sha256;
    } catch {
        return false; // unreadable; sending it will say so
    }
}
