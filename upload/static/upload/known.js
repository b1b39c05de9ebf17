// What the portal has of the session, and which chosen files it has already.
import { isSame } from "./sender.js";
import * as tus from "./tus.js";
import { data, say, words } from "./words.js";

// Larger files are not read only to find out whether they are the same.
const COMPARED_BYTES = 256 << 20;

// Put the session's files and unfinished uploads into the queue.
export async function load(queue) {
    const { modified, unfinished } = await begun();
    for await (const rows of tus.files()) {
        rows.forEach((row) => queue.add(keptItem(row, modified.get(row.uuid) || "")));
    }
    unfinished.forEach((row) => queue.add(unfinishedItem(row)));
}

async function begun() {
    const found = { modified: new Map(), unfinished: [] };
    try {
        for await (const rows of data.takesFiles ? tus.begun() : []) {
            for (const row of rows) {
                found.modified.set(tus.uuidOf(row.url), row.last_modified);
                if (!row.finished) {
                    found.unfinished.push(row);
                }
            }
        }
    } catch (error) {
        // A full session takes nothing more, but its files are listed all the same.
        if (!(error instanceof tus.Refused)) {
            throw error;
        }
    }
    return found;
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
    const again = there.find((item) => isOpen(item) && isAwaited(item, chosen));
    if (again) {
        goOn(queue, again, chosen);
        return true;
    }
    const others = there.filter((item) => !isOpen(item));
    for (const item of others) {
        if (await isThere(item, chosen)) {
            // Chosen on this page as well, so it counts among its files.
            item.mine = true;
            return false;
        }
    }
    const taken = others.some((item) => ["kept", "stored"].includes(item.state));
    const reason = fault(file) || (taken ? words.taken : "");
    const remedy = reason && reason === words.taken ? "numbered" : "";
    const item = queue.add({ ...chosen, state: reason ? "failed" : "waiting", reason, remedy });
    if (reason) {
        queue.tell("failed", item);
    }
    queue.start();
    return true;
}

function isOpen(item) {
    return ["unfinished", "failed"].includes(item.state);
}

// What could not be read is awaited as it is now.
function isAwaited(item, chosen) {
    return item.remedy === "choose" || looksSame(item, chosen);
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

function looksSame(item, chosen) {
    const same = item.size === chosen.size && item.modified === chosen.modified;
    return item.row ? isSame(item.row, chosen) : same;
}

// The same file was chosen again: go on with it where it stopped.
function goOn(queue, item, chosen) {
    const { file, size, modified } = chosen;
    Object.assign(item, { file, size, modified, mine: true });
    retry(queue, item, item.numbered || chosen.numbered);
}

// A file of a folder is known by its path, size and time. Beside folders, files of one
// name come from anywhere: only equal bytes are passed over, or a person decides.
async function isThere(item, chosen) {
    const same = looksSame(item, chosen);
    if (same && chosen.folder) {
        return true;
    }
    const equal = item.size === chosen.size ? await haveSameBytes(item, chosen) : false;
    return equal ?? same;
}

export function retry(queue, item, numbered = item.numbered) {
    Object.assign(item, { numbered, remedy: "" });
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

// Null where a file is too large to be read for this.
async function haveSameBytes(item, chosen) {
    if (chosen.size > COMPARED_BYTES) {
        return null;
    }
    try {
        const known = item.file ? await digestOf(item.file) : item.sha256;
        return known === (await digestOf(chosen.file));
    } catch {
        return false; // unreadable, or no digests in this browser: the portal decides
    }
}

async function digestOf(file) {
    const sum = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
