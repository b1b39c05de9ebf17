// The lines of the list. Only a part of a long list is drawn: what needs somebody
// first, then what moves. A short list keeps its order.
import { data, say, size, words } from "./words.js";

const SHOWN = 100;
const ORDER = ["failed", "unfinished", "sending", "paused", "waiting", "kept", "stored"];

function element(tag, className, parent) {
    const made = document.createElement(tag);
    made.className = className;
    parent.append(made);
    return made;
}

export class List {
    // `acts` has a function of an item for each action: pause, resume, choose, …
    constructor(queue, acts) {
        this.wantsMore = () => {}; // called where what is shown should be more than is here
        this.queue = queue;
        this.acts = acts;
        this.box = document.getElementById("upload-list");
        this.more = document.getElementById("upload-more");
        this.limit = SHOWN;
        this.rows = new Map();
        this.more.addEventListener("click", () => {
            this.limit += SHOWN;
            this.draw();
            if (this.queue.items.length < this.limit) {
                this.wantsMore();
            }
        });
    }

    draw() {
        const shown = this.shown();
        const focused = document.activeElement;
        const place = [...this.box.children].findIndex((line) => line.contains(focused));
        this.takeAway(new Set(shown));
        let next = this.box.firstElementChild;
        for (const item of shown) {
            const row = this.rows.get(item) || this.make(item);
            if (row.line === next) {
                next = next.nextElementSibling;
            } else {
                this.box.insertBefore(row.line, next);
            }
            this.fill(row, item);
        }
        const left = this.queue.items.length - shown.length + this.queue.elsewhere;
        this.more.hidden = left === 0;
        this.more.textContent = say(words.more, { more: Math.min(left, SHOWN), left });
        if (place >= 0) {
            this.keepFocus(focused, place);
        }
    }

    shown() {
        const items = this.queue.items;
        if (items.length <= this.limit) {
            return items;
        }
        const those = (state) => items.filter((item) => item.state === state);
        return ORDER.flatMap(those).slice(0, this.limit);
    }

    takeAway(shown) {
        for (const [item, row] of this.rows) {
            if (!shown.has(item)) {
                row.line.remove();
                this.rows.delete(item);
            }
        }
    }

    // A keyboard user keeps their place when lines or buttons change under them.
    keepFocus(focused, place) {
        if (document.activeElement === focused) {
            return;
        }
        if (focused.isConnected) {
            focused.focus();
            return;
        }
        const lines = this.box.children;
        const line = lines[Math.min(place, lines.length - 1)];
        const button = line?.querySelector("button") || document.getElementById("upload-input");
        button?.focus();
    }

    make(item) {
        const line = document.createElement("li");
        line.className = "up-item";
        const heading = element("span", "up-title", line);
        const row = { line, drawn: "" };
        row.title = element("span", "up-name", heading);
        row.size = element("span", "up-size", heading);
        row.words = element("span", "up-state", line);
        row.bar = element("progress", "", line);
        row.buttons = element("span", "up-buttons", line);
        this.rows.set(item, row);
        return row;
    }

    fill(row, item) {
        const part = item.size ? item.sent / item.size : 0;
        const text = this.textOf(item, Math.floor(100 * part));
        row.bar.value = part;
        if (row.words.textContent !== text) {
            row.words.textContent = text;
        }
        const drawn = JSON.stringify([item.state, item.title, item.remedy, this.queue.held]);
        if (drawn === row.drawn) {
            return;
        }
        row.drawn = drawn;
        row.line.dataset.state = item.state;
        row.title.textContent = item.title;
        row.size.textContent = size(item.size);
        row.bar.hidden = ["kept", "stored", "failed"].includes(item.state);
        row.bar.setAttribute("aria-label", item.title);
        this.offer(row.buttons, item);
    }

    textOf(item, percent) {
        const facts = { percent, reason: item.reason };
        const states = {
            waiting: this.queue.held ? words.paused : this.queue.away ? words.lost : words.waiting,
            sending: item.sent < item.size ? words.sending : words.keeping,
            paused: words.paused,
            unfinished: words.unfinished,
            failed: words.failed,
            kept: words.kept,
            stored: words.stored,
        };
        const begun = item.sent && ["waiting", "paused"].includes(item.state);
        return say(begun ? words.soFar : states[item.state], { ...facts, state: states[item.state] });
    }

    offer(box, item) {
        const made = this.actionsOf(item).map((action) => {
            const button = element("button", "up-button", box);
            button.type = "button";
            button.textContent = words[action];
            const about = { action: words[action], name: item.title };
            button.setAttribute("aria-label", say(words.about, about));
            button.addEventListener("click", () => this.acts[action](item));
            return button;
        });
        box.replaceChildren(...made);
    }

    actionsOf(item) {
        if (!data.takesFiles) {
            return [];
        }
        const actions = {
            waiting: this.queue.held ? ["remove"] : ["pause", "remove"],
            sending: ["pause", "remove"],
            paused: ["resume", "remove"],
            unfinished: ["choose", "remove"],
            failed: [item.remedy, "remove"].filter(Boolean),
            kept: ["remove"],
            stored: [],
        };
        return actions[item.state];
    }
}
