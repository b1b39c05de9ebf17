// One bar for all that this page sends: files, bytes, rate and time left.
import { Rate } from "./rate.js";
import { say, sayCounted, size, timeLeft, words } from "./words.js";

const byId = (id) => document.getElementById(id);
const rate = new Rate();

export function drawTotal(queue) {
    const mine = queue.items.filter((item) => item.mine);
    byId("upload-total").hidden = mine.length === 0;
    // What was refused is settled: its bytes will not come.
    const coming = mine.filter((item) => item.state !== "failed");
    const all = coming.reduce((sum, item) => sum + item.size, 0);
    const sent = coming.reduce((sum, item) => sum + item.sent, 0);
    const done = mine.filter((item) => ["kept", "stored"].includes(item.state)).length;
    const part = all ? sent / all : coming.length ? done / coming.length : 0;
    byId("upload-total-bar").value = part;
    const percent = Math.floor(100 * part);
    const facts = { done, all: mine.length, percent };
    byId("upload-total-text").textContent = sayCounted(words.total, mine.length, facts);
    byId("upload-total-more").textContent = moreOf(queue, { sent, all });
    drawButtons(queue, mine);
}

function moreOf(queue, { sent, all }) {
    const facts = { sent: size(sent), all: size(all) };
    if (!queue.running.size) {
        rate.forget();
        return say(words.bytes, facts);
    }
    const perSecond = rate.at(queue.moved);
    if (!perSecond) {
        return say(words.bytes, facts);
    }
    const left = timeLeft((all - sent) / perSecond);
    return say(words.bytesAndRate, { ...facts, rate: size(perSecond), left });
}

function drawButtons(queue, mine) {
    const has = (...states) => mine.some((item) => states.includes(item.state));
    const failed = mine.filter((item) => item.state === "failed");
    offer({
        "upload-pause-all": !queue.held && has("waiting", "sending"),
        "upload-resume-all": has("paused") || (queue.held && has("waiting")),
        "upload-retry-all": failed.filter((item) => item.remedy === "retry").length > 1,
        "upload-clear-all": failed.length > 1,
    });
}

// Show those of the buttons that are of use; one that goes leaves its focus to another.
function offer(wanted) {
    const focused = document.activeElement;
    for (const [id, is_wanted] of Object.entries(wanted)) {
        byId(id).hidden = !is_wanted;
    }
    const first = Object.keys(wanted).find((id) => wanted[id]);
    byId("upload-pause-all").parentElement.hidden = !first;
    if (wanted[focused?.id] === false) {
        byId(first || "upload-input").focus();
    }
}
