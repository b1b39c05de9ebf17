// Remembers in the browser what was chosen but not begun when the page was left. What
// was begun the portal knows itself.
import { data, say, words } from "./words.js";

const KEY = `muniment-upload-rest:${data.session}`;
const NAMED = 3;
let written = "";

export function keepRest(queue) {
    const waits = ["waiting", "sending", "paused"];
    const rest = queue.items.filter((item) => item.mine && !item.url && waits.includes(item.state));
    const tops = [...new Set(rest.map((item) => item.path.split("/")[0]))];
    const text = rest.length ? JSON.stringify({ count: rest.length, tops: tops.slice(0, NAMED) }) : "";
    if (text !== written) {
        written = text;
        store(text);
    }
}

function store(text) {
    try {
        if (text) {
            localStorage.setItem(KEY, text);
        } else {
            localStorage.removeItem(KEY);
        }
    } catch {
        // No storage in this browser: only the reminder after a reload is lost.
    }
}

// Give the sentence about what an earlier page did not begin, or "".
export function restOfBefore() {
    try {
        const rest = JSON.parse(localStorage.getItem(KEY) || "null");
        return rest ? say(words.rest, { count: rest.count, names: rest.tops.join(", ") }) : "";
    } catch {
        return "";
    }
}
