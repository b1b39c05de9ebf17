// The upload page: brings files, queue, lines and words together.
import { fromDrop, fromInput, unhurried } from "./choosing.js";
import { load, loadMore, retry, take } from "./known.js";
import { List } from "./list.js";
import { Queue } from "./queue.js";
import { keepRest, restOfBefore } from "./rest.js";
import * as tus from "./tus.js";
import { drawTotal } from "./total.js";
import { data, reasonOf, say, words } from "./words.js";

const DRAW_MS = 200;
const REST_MS = 1000;
const SAY_MS = 4000;
const LOAD_MS = 3000;

const byId = (id) => document.getElementById(id);
const form = byId("upload-form");
const input = byId("upload-input");
const folderInput = byId("upload-folder");
const queue = new Queue();
const list = new List(queue, {
    pause: (item) => queue.pause(item),
    resume: (item) => resume(item),
    choose: (item) => (item.folder && !folderInput.hidden ? folderInput : input).click(),
    numbered: (item) => retry(queue, item, true),
    retry: (item) => retry(queue, item),
    remove: (item) => remove(item),
});
let drawing = 0;
let said = Promise.resolve();
let refusedSince = [];
let wasBusy = false;

function alertWith(text) {
    byId("upload-alert").textContent = text;
}

function announce(text) {
    byId("upload-live").textContent = text;
}

// Changes come by the hundred a second; people are shown five drawings of them.
queue.changed = () => {
    drawing ||= setTimeout(() => {
        drawing = 0;
        draw();
    }, DRAW_MS);
};

function draw() {
    list.draw();
    byId("upload-empty").hidden = queue.items.length + queue.elsewhere > 0;
    if (form) {
        drawPassed();
        drawTotal(queue);
        drawBanner();
        announceEnd();
    }
}

function drawPassed() {
    const text = say(words.already, { count: queue.passed });
    if (queue.passed && byId("upload-rest").textContent !== text) {
        byId("upload-rest").textContent = text;
    }
}

function drawBanner() {
    const waits = queue.items.some((item) => item.state === "waiting");
    const away = queue.away && waits && !queue.held;
    const text = queue.stopped || (away ? words.away : "");
    byId("upload-banner").hidden = !text;
    if (byId("upload-banner-text").textContent !== text) {
        byId("upload-banner-text").textContent = text;
    }
    byId("upload-try").hidden = !away;
}

queue.tell = (what, item) => {
    if (what === "failed") {
        refusedSince.push(item);
        said = said.then(announceRefused);
    } else if (what !== "stopped") {
        announce(words[what]);
    }
};

// Many refusals at once are one message.
async function announceRefused() {
    if (!refusedSince.length) {
        return;
    }
    const [first, ...others] = refusedSince;
    refusedSince = [];
    announce(
        others.length
            ? say(words.refusedMany, { count: others.length + 1 })
            : say(words.refusedOne, { name: first.title, reason: first.reason }),
    );
    await new Promise((resolve) => setTimeout(resolve, SAY_MS));
}

function announceEnd() {
    const mine = queue.items.filter((item) => item.mine);
    const busy = mine.some((item) => ["waiting", "sending"].includes(item.state));
    if (wasBusy && !busy) {
        const kept = mine.filter((item) => item.state === "kept").length;
        const failed = mine.filter((item) => item.state === "failed").length;
        announce(say(words.finished, { kept, failed }));
    }
    wasBusy = busy;
}

function resume(item) {
    queue.held = false;
    queue.stopped = "";
    queue.queue(item);
}

async function remove(item) {
    alertWith("");
    try {
        await queue.remove(item);
        announce(say(words.removed, { name: item.title }));
    } catch (error) {
        const reason = error instanceof tus.Refused ? reasonOf(error) : words.offline;
        alertWith(`${item.title}: ${reason}`);
    }
    queue.changed();
}

// Nothing is compared before the page knows what the portal has.
const loaded = loadAll();

async function loadAll() {
    for (;;) {
        try {
            await load(queue);
            alertWith("");
            break;
        } catch (error) {
            alertWith(words.noList);
            if (!(error instanceof tus.Lost)) {
                break;
            }
            queue.clear();
            await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
        }
    }
    draw();
}

// Another part of a long list is fetched when somebody asks for it.
list.wantsMore = async () => {
    alertWith("");
    try {
        await loadMore(queue, list.limit);
    } catch (error) {
        alertWith(error instanceof tus.Refused ? reasonOf(error) : words.offline);
    }
    draw();
};

async function choose(found) {
    alertWith("");
    byId("upload-rest").textContent = "";
    queue.passed = 0;
    await loaded;
    for await (const one of unhurried(found)) {
        const taken = await take(queue, one);
        wasBusy ||= taken;
        queue.passed += taken ? 0 : 1;
    }
    queue.changed();
}

function listen() {
    // Taken on its way down: the admin's own script expects another form around every
    // file input and fails in this one.
    document.addEventListener("change", (event) => {
        if ([input, folderInput].includes(event.target)) {
            event.stopPropagation();
            const found = fromInput(event.target);
            event.target.value = "";
            choose(found);
        }
    }, true);
    form.addEventListener("submit", (event) => event.preventDefault());
    listenToDrops();
    listenToButtons();
    window.addEventListener("offline", () => queue.offline());
    window.addEventListener("online", () => queue.tryNow());
    window.addEventListener("pagehide", () => keepRest(queue));
    setInterval(() => keepRest(queue), REST_MS);
    window.addEventListener("beforeunload", (event) => {
        if (queue.running.size) {
            event.preventDefault();
        }
    });
}

function listenToDrops() {
    for (const name of ["dragenter", "dragover"]) {
        form.addEventListener(name, () => form.classList.add("is-over"));
    }
    for (const name of ["dragleave", "drop"]) {
        form.addEventListener(name, () => form.classList.remove("is-over"));
    }
    // Elsewhere on the page a dropped file must not replace it.
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
        event.preventDefault();
        choose(fromDrop(event.dataTransfer, (path) => alertWith(say(words.unreadableFolder, { name: path }))));
    });
}

function listenToButtons() {
    const failed = () => queue.items.filter((item) => item.mine && item.state === "failed");
    const on = (id, act) => byId(id).addEventListener("click", act);
    on("upload-pause-all", () => queue.pauseAll());
    on("upload-resume-all", () => queue.resumeAll());
    on("upload-try", () => queue.tryNow());
    const passing = () => failed().filter((item) => item.remedy === "retry");
    on("upload-retry-all", () => passing().forEach((item) => retry(queue, item)));
    on("upload-clear-all", () => failed().forEach((item) => queue.drop(item)));
}

if (form) {
    form.hidden = false;
    byId("upload-rest").textContent = restOfBefore();
    if (!("webkitdirectory" in folderInput)) {
        folderInput.hidden = true;
        folderInput.labels[0].hidden = true;
    }
    listen();
}
