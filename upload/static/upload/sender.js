// Sends one file to its end: begins it or asks how far it is, then piece by piece.
import * as tus from "./tus.js";

const LEAST = 256 << 10;
const MOST = 8 << 20;
const LOCKED_TRIES = 30;
const LOCKED_MS = 1000;
// Of refusals that asking for the offset again may settle.
const MOST_TWISTS = 5;

// Pieces take about a second each: a cut costs no more than one of them.
const pace = { bytes: 1 << 20 };

// The file cannot be read: it was moved, changed or removed after it was chosen.
export class Unreadable extends Error {}

// Send `item.file`; the item's `url` and `offset` tell how far it is, also after an
// error. `told` is called with the bytes sent, and true once the portal keeps them.
// Throws `tus.Lost`, `tus.Refused`, `Unreadable`, or what `signal` was aborted with.
export async function send(item, signal, told) {
    const task = { item, signal, told, ahead: null, twists: 0 };
    await begin(task);
    while (item.offset < item.size) {
        try {
            await sendPiece(task);
        } catch (error) {
            await straighten(task, error);
        }
    }
}

async function begin(task) {
    const { item, signal } = task;
    if (item.url && (await askOffset(task))) {
        return;
    }
    if (item.unsure && (await findLost(task))) {
        return;
    }
    const small = item.size > 0 && item.size <= pace.bytes;
    // Once an answer was lost, the words of a refusal must not be lost with a long body.
    const piece = small && !item.unsure ? await read(item.file, 0, item.size) : null;
    item.unsure = true;
    try {
        const startedAt = performance.now();
        const onSent = (bytes) => task.told(bytes, false);
        settle(task, await tus.create(item, piece, { signal, onSent }));
        if (piece) {
            keepPace(item.size, performance.now() - startedAt);
        }
        item.unsure = false;
    } catch (error) {
        // Any other refusal says that nothing was begun.
        item.unsure = !(error instanceof tus.Refused) || error.status === 460;
        throw error;
    }
}

function settle(task, { url, offset }) {
    Object.assign(task.item, { url, offset });
    task.told(offset, true);
}

// Go on with what an answer that never came may have begun; true where it is there.
async function findLost(task) {
    const row = await begunFor(task.item);
    if (row) {
        settle(task, row);
    }
    return row !== null;
}

// Give the portal's row of what was begun for an item whose answer was lost, or null.
export async function begunFor(item) {
    for await (const rows of tus.begun(item.name)) {
        for (const row of rows) {
            const same = isSame(row, item);
            if (same && (!row.finished || (await tus.fileOf(tus.uuidOf(row.url))))) {
                return row;
            }
        }
    }
    return null;
}

// Whether a row of the portal is of this file, as far as a page can tell.
export function isSame(row, item) {
    return (
        row.relative_path === (item.folder ? item.path : "") &&
        row.name === item.name &&
        row.length === item.size &&
        row.last_modified === item.modified
    );
}

// True where the upload is there still; otherwise it has to begin anew.
async function askOffset(task) {
    const { item, signal } = task;
    try {
        settle(task, { url: item.url, offset: await tus.offsetOf(item.url, signal) });
        return true;
    } catch (error) {
        if (!(error instanceof tus.Refused) || error.status !== 404) {
            throw error;
        }
        Object.assign(item, { url: "", offset: 0 });
        return false;
    }
}

async function sendPiece(task) {
    const { item, signal } = task;
    const offset = item.offset;
    const piece = await take(task, offset);
    if (piece.end < item.size) {
        task.ahead = promised(item.file, piece.end, item.size);
    }
    const startedAt = performance.now();
    const onSent = (bytes) => task.told(offset + bytes, false);
    const now = await tus.append(item.url, offset, piece, { signal, onSent });
    keepPace(piece.end - offset, performance.now() - startedAt);
    task.twists = 0;
    settle(task, { url: item.url, offset: now });
}

// The next piece is read, and its sum taken, while this one is on its way.
async function take(task, offset) {
    const ahead = task.ahead;
    task.ahead = null;
    const found = ahead && ahead.start === offset ? ahead : promised(task.item.file, offset, task.item.size);
    return found.piece;
}

function promised(file, start, size) {
    const piece = read(file, start, Math.min(start + pace.bytes, size));
    piece.catch(() => {}); // told when the piece is taken
    return { start, piece };
}

// Give a part of the file as {blob, end, headers}. It is read here for its sum, and to
// know that it can be; then the browser sends it from the disk.
async function read(file, start, end) {
    const blob = file.slice(start, end);
    let bytes;
    try {
        bytes = await blob.arrayBuffer();
    } catch {
        throw new Unreadable(file.name);
    }
    if (bytes.byteLength !== end - start) {
        throw new Unreadable(file.name);
    }
    return { blob, end, headers: await sumOf(bytes) };
}

// Browsers can take a sum where the page came by HTTPS or from this machine.
async function sumOf(bytes) {
    const subtle = globalThis.crypto?.subtle;
    if (!subtle) {
        return {};
    }
    const sum = new Uint8Array(await subtle.digest("SHA-256", bytes));
    return { "Upload-Checksum": `sha256 ${btoa(String.fromCharCode(...sum))}` };
}

function keepPace(bytes, milliseconds) {
    if (milliseconds < 500 && bytes >= pace.bytes) {
        pace.bytes = Math.min(pace.bytes * 2, MOST);
    } else if (milliseconds > 3000) {
        pace.bytes = Math.max(pace.bytes / 2, LEAST);
    }
}

// Ask for the true offset after a refusal that is about offsets; throw other errors.
async function straighten(task, error) {
    const refused = error instanceof tus.Refused ? error : null;
    const ends = !refused || ![404, 409, 423, 460].includes(refused.status);
    if (ends || (refused.status === 409 && refused.code !== "offset_conflict")) {
        throw error;
    }
    task.twists += 1;
    const locked = refused.status === 423;
    if (task.twists > (locked ? LOCKED_TRIES : MOST_TWISTS)) {
        throw error;
    }
    if (locked) {
        // An earlier request of this page, cut off here, is still being ended there.
        await sleep(LOCKED_MS, task.signal);
    }
    await begin(task);
}

function sleep(milliseconds, signal) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, milliseconds);
        signal.addEventListener("abort", () => {
            clearTimeout(timer);
            reject(signal.reason);
        }, { once: true });
    });
}
