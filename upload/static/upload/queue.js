// The files of the page and what becomes of each; three are sent at a time.
//
// An item's `state`: waiting, sending, paused, unfinished (begun earlier, its file has
// to be chosen again), failed, kept (the portal has it), stored. `offset` bytes are
// safe at the portal, `sent` have left the browser. The `remedy` of a failed one is what
// may still bring it in: retry, choose (again), numbered, or "" where nothing does.
import { compare } from "./known.js";
import { remedyOf, STOPPING } from "./refusals.js";
import { begunFor, send, Unreadable } from "./sender.js";
import * as tus from "./tus.js";
import { reasonOf, say, words } from "./words.js";

const AT_ONCE = 3;
const ASKED_AT_ONCE = 200;
const DELAYS = [1, 2, 4, 8, 15, 30];
const SERVER_FAULTS = 5;
export class Queue {
    constructor() {
        this.items = [];
        this.byPath = new Map();
        this.running = new Map();
        this.held = false; // paused as a whole
        this.stopped = ""; // why it was, where the portal did it
        this.away = null; // {tries, timer, at} while there is no connection
        this.moved = 0; // bytes that went out, for the rate
        this.elsewhere = 0; // files that the portal has and the page does not list
        this.passed = 0; // of those just chosen, how many the portal had
        this.asking = null; // while it is asked which it has
        this.askFaults = 0;
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

    byUuid() {
        return new Map(this.items.filter((item) => item.uuid).map((item) => [item.uuid, item]));
    }

    at(path) {
        return this.byPath.get(path) || [];
    }

    clear() {
        this.items = [];
        this.byPath.clear();
    }

    drop(item) {
        const place = this.items.indexOf(item);
        if (place < 0) {
            return;
        }
        this.items.splice(place, 1);
        this.byPath.set(item.path, this.at(item.path).filter((one) => one !== item));
        this.changed();
    }

    set(item, state, reason = "") {
        Object.assign(item, { state, reason });
        this.changed();
    }

    refuse(item, reason, remedy) {
        item.remedy = remedy;
        this.set(item, "failed", reason);
        this.tell("failed", item);
    }

    // Send an item when its turn comes.
    queue(item) {
        this.set(item, "waiting");
        this.start();
    }

    start() {
        const limit = this.away ? 1 : AT_ONCE;
        while (!this.held && !this.away?.timer && this.running.size < limit) {
            const next = this.next();
            if (!next?.asked) {
                if (next) {
                    this.ask();
                }
                break;
            }
            this.run(next);
        }
    }

    waits(item) {
        return item.state === "waiting" && !this.running.has(item);
    }

    // What has begun comes first, so that little is half done at any time.
    next() {
        let first;
        for (const item of this.items) {
            if (this.waits(item)) {
                if (item.url) {
                    return item;
                }
                first ??= item;
            }
        }
        return first;
    }

    // Ask for many at a time whether the portal has them; then their turn comes.
    async ask() {
        if (this.asking) {
            return;
        }
        const unasked = this.items.filter((item) => !item.asked && this.waits(item));
        this.asking = unasked.slice(0, ASKED_AT_ONCE);
        try {
            await compare(this, this.asking);
            this.askFaults = 0;
            this.back();
        } catch (error) {
            this.failAsking(error, this.asking);
        } finally {
            this.asking = null;
            this.start();
        }
    }

    failAsking(error, items) {
        const lost = error instanceof tus.Lost;
        this.askFaults += lost && error.status === 500 ? 1 : 0;
        if (lost && this.askFaults < SERVER_FAULTS) {
            this.goAway(error.waitSeconds);
        } else if (error instanceof tus.Refused && STOPPING.has(error.code)) {
            this.stop(reasonOf(error));
        } else {
            // The portal tells when they come.
            items.forEach((item) => (item.asked = true));
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
        Object.assign(item, { url: "", offset: 0, sent: 0 });
        this.refuse(item, reason, remedyOf(error));
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
