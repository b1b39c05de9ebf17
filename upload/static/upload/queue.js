// The files of the page and what becomes of each; three are sent at a time.
//
// An item's `state`: waiting, sending, paused, unfinished (begun earlier, its file has
// to be chosen again), failed, kept (the portal has it), stored. `offset` bytes are
// safe at the portal, `sent` have left the browser. The `remedy` of a failed one is what
// may still bring it in: retry, choose (again), numbered, or "" where nothing does.
import { begunFor, send, Unreadable } from "./sender.js";
import * as tus from "./tus.js";
import { reasonOf, say, words } from "./words.js";

const AT_ONCE = 3;
const DELAYS = [1, 2, 4, 8, 15, 30];
const SERVER_FAULTS = 5;
// Refusals that every further file would meet as well.
const STOPPING = new Set([
    "not_signed_in", "not_permitted", "csrf_failed", "uploads_off", "illegal_transition",
    "expired", "session_submitted", "session_busy", "storage_full", "not_found",
]);
// Refusals that are not about the file: the same bytes may be taken another time.
const PASSING = new Set([
    "scanner_unavailable", "unavailable", "cut_off", "upload_locked", "offset_conflict",
    "checksum_mismatch", "digest_mismatch", "size_mismatch",
]);

function remedyOf(error) {
    if (error instanceof Unreadable) {
        return "choose";
    }
    if (!(error instanceof tus.Refused) || PASSING.has(error.code)) {
        return "retry";
    }
    if (error.code === "name_taken") {
        return "numbered";
    }
    // Without a code it was not the portal that answered.
    return error.code || error.status === 413 ? "" : "retry";
}

export class Queue {
    constructor() {
        this.items = [];
        this.byPath = new Map();
        this.running = new Map();
        this.held = false; // paused as a whole
        this.stopped = ""; // why it was, where the portal did it
        this.away = null; // {tries, timer, at} while there is no connection
        this.moved = 0; // bytes that went out, for the rate
        this.changed = () => {};
        this.tell = () => {};
    }

    add(item) {
        this.items.push({ offset: 0, sent: 0, url: "", uuid: "", reason: "", ...item });
        const added = this.items.at(-1);
        this.byPath.set(added.path, [...this.at(added.path), added]);
        this.changed();
        return added;
    }

    at(path) {
        return this.byPath.get(path) || [];
    }

    clear() {
        this.items = [];
        this.byPath.clear();
    }

    drop(item) {
        this.items.splice(this.items.indexOf(item), 1);
        this.byPath.set(item.path, this.at(item.path).filter((one) => one !== item));
        this.changed();
    }

    set(item, state, reason = "") {
        Object.assign(item, { state, reason });
        this.changed();
    }

    // Send an item when its turn comes.
    queue(item) {
        this.set(item, "waiting");
        this.start();
    }

    start() {
        const limit = this.away ? 1 : AT_ONCE;
        while (!this.held && !this.away?.timer && this.running.size < limit) {
            const waits = (item) => item.state === "waiting" && !this.running.has(item);
            // What has begun comes first, so that little is half done at any time.
            const next = this.items.find((item) => waits(item) && item.url) || this.items.find(waits);
            if (!next) {
                break;
            }
            this.run(next);
        }
    }

    async run(item) {
        const control = new AbortController();
        this.running.set(item, control);
        this.set(item, "sending");
        try {
            await send(item, control.signal, (sent, settled) => this.progress(item, sent, settled));
            await this.keep(item);
        } catch (error) {
            item.sent = item.offset;
            if (!control.signal.aborted) {
                this.fail(item, error);
            }
        } finally {
            this.running.delete(item);
            this.changed();
            this.start();
        }
    }

    progress(item, sent, settled) {
        this.moved += Math.max(sent - item.sent, 0);
        item.sent = sent;
        if (settled) {
            item.faults = 0;
            this.back();
        }
        this.changed();
    }

    async keep(item) {
        item.uuid = tus.uuidOf(item.url);
        if (item.numbered && !item.folder) {
            const file = await tus.fileOf(item.uuid);
            item.title = file ? file.name : item.title;
        }
        this.set(item, "kept");
    }

    fail(item, error) {
        if (error instanceof tus.Lost) {
            item.faults = (item.faults || 0) + (error.status === 500 ? 1 : 0);
            if (error.status !== 500 || item.faults < SERVER_FAULTS) {
                this.set(item, "waiting");
                this.goAway(error.waitSeconds);
                return;
            }
        }
        const refused = error instanceof tus.Refused;
        const unclear = say(words.unclear, { status: String(error.status || 0) });
        const reason = error instanceof Unreadable ? words.unreadable : refused ? reasonOf(error) : unclear;
        if (refused && STOPPING.has(error.code)) {
            this.set(item, "waiting");
            this.stop(reason);
            return;
        }
        // The portal has ended the upload, or will by itself.
        Object.assign(item, { url: "", offset: 0, sent: 0, remedy: remedyOf(error) });
        this.set(item, "failed", reason);
        this.tell("failed", item);
    }

    // Wait for the connection; each time longer, at most half a minute.
    goAway(waitSeconds = 0) {
        if (this.away?.timer) {
            return;
        }
        const tries = this.away ? this.away.tries + 1 : 0;
        const usual = DELAYS[Math.min(tries, DELAYS.length - 1)] * (0.8 + 0.4 * Math.random());
        const seconds = Math.max(usual, waitSeconds);
        const timer = setTimeout(() => this.tryNow(), 1000 * seconds);
        this.away = { tries, timer, at: Date.now() + 1000 * seconds };
        if (!tries) {
            this.tell("away");
        }
        this.changed();
    }

    tryNow() {
        if (this.away) {
            clearTimeout(this.away.timer);
            this.away.timer = 0;
            this.start();
            this.changed();
        }
    }

    back() {
        if (this.away) {
            clearTimeout(this.away.timer);
            this.away = null;
            this.tell("back");
            this.start();
        }
    }

    // The browser says that the network is gone: cut off what cannot arrive.
    offline() {
        for (const item of [...this.running.keys()]) {
            this.halt(item, "waiting");
        }
        if (this.items.some((item) => item.state === "waiting")) {
            this.goAway(DELAYS.at(-1));
        }
    }

    // Take an item out of the running ones, if it is there, into another state.
    halt(item, state) {
        this.set(item, state);
        this.running.get(item)?.abort();
    }

    pause(item) {
        this.halt(item, "paused");
    }

    pauseAll() {
        this.held = true;
        for (const item of [...this.running.keys()]) {
            this.halt(item, "waiting");
        }
        this.changed();
    }

    stop(reason) {
        this.stopped = reason;
        this.pauseAll();
        this.tell("stopped");
    }

    resumeAll() {
        this.held = false;
        this.stopped = "";
        for (const item of this.items.filter((one) => one.state === "paused")) {
            item.state = "waiting";
        }
        this.tryNow();
        this.start();
        this.changed();
    }

    // End what the portal has of an item, and forget the item; throws where it cannot.
    async remove(item) {
        this.halt(item, item.state === "kept" ? "kept" : "paused");
        const lost = item.unsure && !item.url ? await begunFor(item) : null;
        const url = lost ? lost.url : item.url;
        if (item.state === "kept" || lost?.finished) {
            await gone(() => tus.removeFile(item.uuid || tus.uuidOf(url)));
        } else if (url) {
            await gone(() => tus.terminate(url));
        }
        this.drop(item);
    }
}

const REMOVE_TRIES = 10;
const REMOVE_MS = 500;

// Run a removal; what is gone by now is fine, and what is locked is so only shortly.
async function gone(remove, tries = 1) {
    try {
        await remove();
    } catch (error) {
        const status = error instanceof tus.Refused ? error.status : 0;
        if (status === 423 && tries < REMOVE_TRIES) {
            await new Promise((resolve) => setTimeout(resolve, REMOVE_MS));
            await gone(remove, tries + 1);
        } else if (status !== 404) {
            throw error;
        }
    }
}
