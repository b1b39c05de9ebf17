"use strict";
// Copies the text of a [data-copy] button, or the full address of a [data-copy-url] one.
(() => {
    const SHOWN_MS = 1500;

    const copyBySelection = (text) => {
        const area = document.createElement("textarea");
        area.value = text;
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
    };

    const copy = async (text) => {
        // The clipboard needs HTTPS or localhost; elsewhere a selection still works.
        if (navigator.clipboard) await navigator.clipboard.writeText(text);
        else copyBySelection(text);
    };

    const textOf = (button) =>
        "copyUrl" in button.dataset
            ? new URL(button.dataset.copyUrl, window.location.href).href
            : button.dataset.copy;

    const confirm = (button) => {
        const icon = button.firstElementChild;
        const label = button.getAttribute("aria-label");
        icon.textContent = "check";
        button.setAttribute("aria-label", button.dataset.copied);
        setTimeout(() => {
            icon.textContent = "content_copy";
            button.setAttribute("aria-label", label);
        }, SHOWN_MS);
    };

    document.addEventListener("click", async (event) => {
        const button = event.target.closest("[data-copy], [data-copy-url]");
        if (!button || button.disabled) return;
        await copy(textOf(button));
        confirm(button);
    });
})();
