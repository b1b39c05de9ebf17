"use strict";
// The upload page: one file a request, two at a time, each with its own progress.
(function () {
    const data = JSON.parse(document.getElementById("upload-data").textContent);
    const words = data.words;
    const list = document.getElementById("upload-list");
    const form = document.getElementById("upload-form");
    const live = document.getElementById("upload-live");
    const alertLine = document.getElementById("upload-alert");
    const AT_ONCE = 2;
    const items = [];
    let running = 0;

    function say(text, facts) {
        return text.replace(/\{(\w+)\}/g, (whole, name) => (name in facts ? facts[name] : whole));
    }

    function size(bytes) {
        const units = data.units;
        const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
        const number = bytes / 1000 ** power;
        const digits = { maximumFractionDigits: power ? 1 : 0 };
        const shown = number.toLocaleString(document.documentElement.lang, digits);
        return units[power].replace("%(size)s", shown);
    }

    function announce(text) {
        live.textContent = text;
    }

    function element(tag, className, parent) {
        const made = document.createElement(tag);
        made.className = className;
        parent.append(made);
        return made;
    }

    // One line of the list; `state` is waiting, sending, kept, stored, failed or cancelled.
    function addItem(name, bytes) {
        const line = element("li", "up-item", list);
        const item = { name, bytes, line, sent: 0, mine: false };
        const heading = element("span", "up-title", line);
        item.title = element("span", "up-name", heading);
        item.title.textContent = name;
        item.size = element("span", "up-size", heading);
        item.words = element("span", "up-state", line);
        item.bar = element("progress", "", line);
        item.bar.max = 100;
        item.bar.value = 0;
        item.bar.setAttribute("aria-label", name);
        item.buttons = element("span", "up-buttons", line);
        document.getElementById("upload-empty").hidden = true;
        return item;
    }

    function show(item, state, text) {
        item.state = state;
        item.line.dataset.state = state;
        item.bar.hidden = state !== "sending" && state !== "waiting";
        item.words.textContent = text;
        item.size.textContent = size(item.bytes);
    }

    function offer(item, actions) {
        const hadFocus = item.buttons.contains(document.activeElement);
        item.buttons.replaceChildren();
        for (const [word, act] of actions) {
            const button = element("button", "up-button", item.buttons);
            button.type = "button";
            button.textContent = word;
            button.setAttribute("aria-label", say(words.about, { action: word, name: item.name }));
            button.addEventListener("click", act);
        }
        // A keyboard user keeps their place when the buttons change under them.
        const first = item.buttons.querySelector("button") || document.getElementById("upload-input");
        if (hadFocus && first) {
            first.focus();
        }
    }

    function showTotal() {
        const mine = items.filter((item) => item.mine && item.state !== "cancelled");
        const box = document.getElementById("upload-total");
        if (!box) {
            return;
        }
        box.hidden = mine.length === 0;
        // What was refused is settled: its bytes will not come.
        const coming = mine.filter((item) => item.state !== "failed");
        const all = coming.reduce((sum, item) => sum + item.bytes, 0);
        const sent = coming.reduce((sum, item) => sum + item.sent, 0);
        const done = mine.filter((item) => item.state === "kept").length;
        const percent = all ? Math.floor((100 * sent) / all) : done === coming.length ? 100 : 0;
        document.getElementById("upload-total-bar").value = percent;
        document.getElementById("upload-total-text").textContent = say(words.total, {
            done, all: mine.length, percent,
        });
    }

    function kept(item, file) {
        item.name = file.name;
        item.bytes = file.size_bytes;
        item.sent = item.bytes;
        item.title.textContent = file.relative_path || file.name;
        show(item, file.stored ? "stored" : "kept", file.stored ? words.stored : words.kept);
        const removable = !file.stored && data.takesFiles;
        offer(item, removable ? [[words.remove, () => remove(item, file)]] : []);
    }

    function failed(item, text, code) {
        item.sent = 0;
        show(item, "failed", say(words.failed, { reason: text }));
        const actions = [[words.retry, () => queue(item)]];
        if (code === "name_taken") {
            actions.unshift([words.numbered, () => queue(item, true)]);
        }
        actions.push([words.remove, () => drop(item)]);
        offer(item, actions);
    }

    function drop(item) {
        item.line.remove();
        items.splice(items.indexOf(item), 1);
        document.getElementById("upload-empty").hidden = items.length > 0;
        document.getElementById("upload-input").focus();
        announce(say(words.removed, { name: item.name }));
        showTotal();
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

    function queue(item, numbered) {
        item.numbered = numbered;
        const reason = fault(item.file);
        if (reason) {
            failed(item, reason, "");
        } else {
            show(item, "waiting", words.waiting);
            item.bar.value = 0;
            offer(item, [[words.cancel, () => cancel(item)]]);
        }
        showTotal();
        startNext();
    }

    function cancel(item) {
        if (item.request) {
            item.request.abort();
        } else {
            cancelled(item);
        }
    }

    function cancelled(item) {
        item.sent = 0;
        show(item, "cancelled", words.cancelled);
        offer(item, [[words.retry, () => queue(item)], [words.remove, () => drop(item)]]);
        showTotal();
    }

    function startNext() {
        while (running < AT_ONCE) {
            const next = items.find((item) => item.state === "waiting");
            if (!next) {
                break;
            }
            send(next);
        }
    }

    function send(item) {
        const body = new FormData();
        if (item.file.webkitRelativePath) {
            body.append("relative_path", item.file.webkitRelativePath);
        }
        if (item.numbered) {
            body.append("numbered", "1");
        }
        body.append("file", item.file);
        const request = ask("POST", data.files, (answer) => settle(item, answer));
        item.request = request;
        running += 1;
        show(item, "sending", say(words.sending, { percent: 0 }));
        request.upload.addEventListener("progress", (event) => progress(item, event));
        request.send(body);
    }

    function progress(item, event) {
        const part = event.total ? event.loaded / event.total : 1;
        item.sent = part * item.bytes;
        item.bar.value = 100 * part;
        const percent = Math.floor(100 * part);
        show(item, "sending", percent < 100 ? say(words.sending, { percent }) : words.keeping);
        showTotal();
    }

    // Calls `done` once with {status, told}; status 0: no answer, -1: aborted.
    function ask(method, url, done) {
        const request = new XMLHttpRequest();
        request.open(method, url);
        request.setRequestHeader("Accept", "application/json");
        const token = form && form.elements.csrfmiddlewaretoken;
        if (token) {
            request.setRequestHeader("X-CSRFToken", token.value);
        }
        request.addEventListener("load", () => {
            let told = {};
            try {
                told = JSON.parse(request.responseText);
            } catch {
                // A proxy's own page, or nothing; the status alone has to do.
            }
            done({ status: request.status, told });
        });
        request.addEventListener("error", () => done({ status: 0, told: {} }));
        request.addEventListener("abort", () => done({ status: -1, told: {} }));
        return request;
    }

    function reasonOf(answer) {
        if (answer.status <= 0) {
            return words.offline;
        }
        const told = answer.told;
        if (!told.error) {
            return say(words.unclear, { status: answer.status });
        }
        if (told.code === "name_taken") {
            return words.taken;
        }
        // A refusal says itself what to do; a fault of the portal does not.
        return answer.status < 500 ? told.error : told.error + " " + told.hint;
    }

    function settle(item, answer) {
        running -= 1;
        item.request = null;
        if (answer.status === 201 && answer.told.results) {
            kept(item, answer.told.results[0].file);
        } else if (answer.status === -1) {
            cancelled(item);
        } else {
            failed(item, reasonOf(answer), answer.told.code);
        }
        showTotal();
        startNext();
        announceEnd();
    }

    function announceEnd() {
        const mine = items.filter((item) => item.mine);
        if (running || mine.some((item) => item.state === "waiting")) {
            return;
        }
        announce(say(words.finished, {
            kept: mine.filter((item) => item.state === "kept").length,
            failed: mine.filter((item) => item.state === "failed").length,
        }));
    }

    function remove(item, file) {
        const url = data.files + file.uuid + "/";
        ask("DELETE", url, (answer) => {
            if (answer.status === 204 || answer.status === 404) {
                drop(item);
            } else {
                alertLine.textContent = item.name + ": " + reasonOf(answer);
            }
        }).send();
    }

    function choose(files) {
        alertLine.textContent = "";
        for (const file of files) {
            const item = addItem(file.webkitRelativePath || file.name, file.size);
            Object.assign(item, { file, mine: true });
            items.push(item);
            queue(item);
        }
    }

    function load(page) {
        ask("GET", data.files + "?page=" + page, (answer) => {
            if (answer.status !== 200) {
                alertLine.textContent = words.noList;
                return;
            }
            for (const file of answer.told.results) {
                const item = addItem(file.name, file.size_bytes);
                items.push(item);
                kept(item, file);
            }
            document.getElementById("upload-empty").hidden = items.length > 0;
            if (answer.told.more) {
                load(page + 1);
            }
        }).send();
    }

    function listen() {
        const input = document.getElementById("upload-input");
        // Taken on its way down: the admin's own script expects another form around
        // every file input and fails in this one.
        document.addEventListener("change", (event) => {
            if (event.target === input) {
                event.stopPropagation();
                choose(Array.from(input.files));
                input.value = "";
            }
        }, true);
        form.addEventListener("submit", (event) => event.preventDefault());
        for (const name of ["dragenter", "dragover"]) {
            form.addEventListener(name, (event) => {
                event.preventDefault();
                form.classList.add("is-over");
            });
        }
        for (const name of ["dragleave", "drop"]) {
            form.addEventListener(name, () => form.classList.remove("is-over"));
        }
        // Elsewhere on the page a dropped file must not replace it.
        document.addEventListener("dragover", (event) => event.preventDefault());
        document.addEventListener("drop", (event) => {
            event.preventDefault();
            choose(Array.from(event.dataTransfer.files));
        });
        window.addEventListener("beforeunload", (event) => {
            if (running) {
                event.preventDefault();
            }
        });
    }

    if (form) {
        listen();
    }
    load(1);
})();
