// What the portal has of the session, and which chosen files it has already.
import { isSame } from "./sender.js";
import * as tus from "./tus.js";
import { data, say, words } from "./words.js";

// Larger files are not read only to find out whether they are the same.
const COMPARED_BYTES = 256 << 20;
const PAGE = 100;

// Put the session's unfinished uploads and the first of its files into the queue.
export async function load(queue) {
    const rows = await unfinished();
    const told = await tus.filesOn(1, PAGE);
    const found = told.results.map((row) => queue.add(listedItem(row)));
    queue.elsewhere = told.more ? told.session.files - found.length : 0;
    rows.forEach((row) => queue.add(unfinishedItem(row)));
}

async function unfinished() {
    const found = [];
    try {
        for await (const rows of data.takesFiles ? tus.unfinished() : []) {
            found.push(...rows);
        }
    } catch (error) {
        // A full session takes nothing more, but its files are listed all the same.
        if (!(error instanceof tus.Refused)) {
            throw error;
        }
    }
    return found;
}

// Put further files of the session into the queue, until it has so many items.
export async function loadMore(queue, wanted) {
    const listed = queue.items.filter((item) => item.listed).length;
    let page = Math.floor(listed / PAGE) + 1;
    while (queue.elsewhere && queue.items.length < wanted) {
        const told = await tus.filesOn(page, PAGE);
        const there = queue.byUuid();
        const fresh = told.results.filter((row) => !there.has(row.uuid));
        // What came in meanwhile, or was asked for by its path, is in the queue already.
        told.results.map((row) => there.get(row.uuid)).filter(Boolean).forEach((item) => {
            item.listed = true;
        });
        fresh.forEach((row) => queue.add(listedItem(row)));
        queue.elsewhere = told.more ? Math.max(queue.elsewhere - fresh.length, 1) : 0;
        page += 1;
    }
}

function listedItem(row) {
    const title = row.relative_path || row.name;
    return { ...keptItem(row), path: row.relative_path || row.original_name, title, listed: true };
}

function keptItem(row) {
    const { uuid, sha256, size_bytes: size } = row;
    const state = row.stored ? "stored" : "kept";
    const modified = row.last_modified || "";
    return { uuid, sha256, size, modified, state, offset: size, sent: size };
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
        asked: true,
    };
}

// Put a chosen file into the queue; false where it was chosen before. What the portal
// has of it is asked when its turn comes.
export async function take(queue, { file, path }) {
    const chosen = itemOf(file, path);
    const there = queue.at(path);
    const again = there.find((item) => isOpen(item) && isAwaited(item, chosen));
    if (again) {
        goOn(queue, again, chosen);
        return true;
    }
    const others = there.filter((item) => item.mine && !isOpen(item));
    for (const item of others) {
        if (await isThere(item, chosen)) {
            return false;
        }
    }
    const taken = others.some((item) => ["kept", "stored"].includes(item.state));
    const reason = fault(file) || (taken ? words.taken : "");
    const remedy = reason && reason === words.taken ? "numbered" : "";
    const item = queue.add({ ...chosen, state: "waiting" });
    if (reason) {
        queue.refuse(item, reason, remedy);
    }
    // Asked, it begins by itself; not for each of thousands, which would look at all.
    if (!queue.asking) {
        queue.start();
    }
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
    Object.assign(item, { file, size, modified, mine: true, asked: Boolean(item.url) });
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

// Ask the portal which of these waiting items it has, and settle those.
export async function compare(queue, items) {
    const told = byPath(await tus.known(items.map((item) => item.path)));
    const there = queue.byUuid();
    const left = new Set(queue.items);
    for (const item of items.filter((one) => left.has(one))) {
        await compareOne(queue, item, told.get(item.path) || [], there);
    }
}

// Written out: browsers know Map.groupBy only since 2024.
function byPath(rows) {
    const found = new Map();
    rows.forEach((row) => found.set(row.path, [...(found.get(row.path) || []), row]));
    return found;
}

async function compareOne(queue, item, rows, there) {
    item.asked = true;
    for (const row of rows) {
        if (await isThere(keptItem(row), item)) {
            pass(queue, item, row, there.get(row.uuid));
            return;
        }
    }
    if (rows.length && !item.numbered) {
        queue.refuse(item, words.taken, "numbered");
    }
}

// The portal has it: not sent, but counted among the files of this page.
function pass(queue, item, row, listed) {
    const { modified, path } = item;
    queue.passed += 1;
    if (listed) {
        Object.assign(listed, { modified, mine: true });
        queue.drop(item);
    } else {
        Object.assign(item, keptItem(row), { modified, title: item.folder ? path : row.name });
        queue.elsewhere = Math.max(queue.elsewhere - 1, 0);
        queue.changed();
    }
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
