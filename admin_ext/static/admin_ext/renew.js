"use strict";
// Renews every [data-renew] of the page, which names its seconds: asks for the page again
// and puts its part in the place of what is shown, where that has changed. One request at
// a time, ever rarer while the server fails, none while the tab is hidden. What a person
// is at stays: a part with the focus, an opened row or details, or a chosen session.
(() => {
    const LONGEST_MS = 300000;
    let timer = null;
    let delay = 0;

    const parts = () => [...document.querySelectorAll("[data-renew][id]")];

    const isUsed = (part) =>
        part.contains(document.activeElement) ||
        part.querySelector("details[open], input:checked") !== null ||
        [...part.querySelectorAll("[hx-get]")].some((row) => row.offsetParent !== null);

    const put = (part, fresh) => {
        if (part.innerHTML === fresh.innerHTML || part.dataset.seen === fresh.innerHTML) return;
        const seen = fresh.innerHTML;
        part.replaceChildren(...fresh.childNodes);
        part.dataset.seen = seen;
        if (window.htmx) window.htmx.process(part);
        // Django's script knows only the check boxes that it was given.
        const parent = part.closest(".result-list-wrapper");
        const boxes = part.querySelectorAll("tr input.action-select");
        if (parent && boxes.length) window.Actions(boxes, { parent });
        document.dispatchEvent(new CustomEvent("muniment:renewed"));
    };

    const renew = async () => {
        const answer = await fetch(window.location.href, {
            credentials: "same-origin",
            cache: "no-store",
            redirect: "error",
        });
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of parts()) {
            const fresh = page.getElementById(part.id);
            if (fresh && !isUsed(part)) put(part, fresh);
        }
    };

    const period = () => Math.min(...parts().map((part) => Number(part.dataset.renew))) * 1000;

    const round = async () => {
        timer = null;
        if (document.hidden) return;
        try {
            if (!parts().every(isUsed)) await renew();
            delay = period();
        } catch {
            delay = Math.min(delay * 2, LONGEST_MS);
        }
        plan();
    };

    const plan = () => {
        if (timer !== null || document.hidden || parts().length === 0) return;
        timer = setTimeout(round, delay || period());
    };

    document.addEventListener("visibilitychange", plan);
    document.addEventListener("DOMContentLoaded", plan);
})();
