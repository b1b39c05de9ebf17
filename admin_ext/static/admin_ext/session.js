"use strict";
// The session page: pages, sorts and searches of the files without a page load, and the
// preview of images and text. Without this script the same links load the whole page.
(() => {
    const PREVIEW_BYTES = 65536;

    const load = async (query, keep) => {
        const part = document.querySelector("[data-part]");
        const answer = await fetch(part.dataset.part + query, {
            credentials: "same-origin",
            cache: "no-store",
            redirect: "error",
        });
        if (!answer.ok) throw new Error(answer.statusText);
        const focused = document.activeElement?.id;
        part.outerHTML = await answer.text();
        if (keep) window.history.pushState(null, "", query || window.location.pathname);
        // Who sorts or searches by keyboard goes on from where they were.
        if (focused) document.getElementById(focused)?.focus();
    };

    const follow = (query) => load(query, true).catch(() => window.location.assign(query));

    document.addEventListener("click", (event) => {
        const link = event.target.closest?.("[data-part] a[href^='?']");
        if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        follow(link.getAttribute("href").split("#")[0]);
    });

    document.addEventListener("submit", (event) => {
        if (!event.target.matches("[data-part-form]")) return;
        event.preventDefault();
        follow(`?${new URLSearchParams(new FormData(event.target))}`);
    });

    window.addEventListener("popstate", () => {
        if (document.querySelector("[data-part]")) load(window.location.search, false).catch(() => window.location.reload());
    });

    // Where the drawing is wider than the screen, the present state is what is seen.
    const present = document.querySelector(".mu-states .mu-present");
    const around = present?.closest(".mu-scroll");
    if (around) {
        const box = present.getBoundingClientRect();
        const left = around.getBoundingClientRect().left;
        around.scrollLeft += box.left - left - (around.clientWidth - box.width) / 2;
    }

    const asImage = async (url, name) => {
        const image = new Image();
        image.alt = name;
        image.src = url;
        await image.decode();
        return image;
    };

    // As text alone: nothing in the file is run, whatever it is.
    const asText = async (url, note, dialog) => {
        const answer = await fetch(url, {
            credentials: "same-origin",
            cache: "no-store",
            headers: { Range: `bytes=0-${PREVIEW_BYTES - 1}` },
        });
        if (!answer.ok) throw new Error(answer.statusText);
        const bytes = await answer.arrayBuffer();
        if (bytes.byteLength >= PREVIEW_BYTES) note.textContent = dialog.dataset.cut;
        const text = document.createElement("pre");
        text.className = "mu-pre";
        text.textContent = new TextDecoder().decode(bytes.slice(0, PREVIEW_BYTES));
        return text;
    };

    document.addEventListener("click", async (event) => {
        const button = event.target.closest?.("[data-preview]");
        const dialog = document.getElementById("file-preview");
        if (!button || !dialog) return;
        const { preview, previewUrl, previewName } = button.dataset;
        const body = dialog.querySelector(".mu-dialog-body");
        const note = dialog.querySelector("[data-preview-note]");
        dialog.querySelector("h2").textContent = previewName;
        note.textContent = "";
        body.replaceChildren();
        dialog.showModal();
        try {
            const shown = preview === "image" ? asImage(previewUrl, previewName) : asText(previewUrl, note, dialog);
            body.replaceChildren(await shown);
        } catch {
            note.textContent = dialog.dataset.failed;
        }
    });
})();
