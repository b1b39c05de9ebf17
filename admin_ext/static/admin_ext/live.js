"use strict";
// Keeps every [data-job-progress-url] of the page current: one request at a time, a
// round every two seconds, none while the tab is hidden, none after the jobs' ends.
(() => {
    const PERIOD_MS = 2000;
    const SELECTOR = "[data-job-progress-url]";
    let timer = null;

    const show = (element, figures) => {
        const bar = element.querySelector("progress");
        if (bar) bar.value = figures.percent;
        const summary = element.querySelector("[data-job-state]");
        if (summary) summary.textContent = figures.summary;
        for (const place of element.querySelectorAll("[data-text]")) {
            const text = figures.texts[place.dataset.text];
            // Only a changed text is announced by screen readers.
            if (text !== undefined && place.textContent !== text) place.textContent = text;
        }
    };

    const stop = (element) => element.removeAttribute("data-job-progress-url");

    const refresh = async (element) => {
        const answer = await fetch(element.dataset.jobProgressUrl, {
            credentials: "same-origin",
            cache: "no-store",
            redirect: "error",
            headers: { Accept: "application/json" },
        });
        if ([401, 403, 404].includes(answer.status)) return stop(element);
        if (!answer.ok) return;
        const figures = await answer.json();
        show(element, figures);
        if (!figures.ended) return;
        stop(element);
        if (element.closest("[data-reload-when-ended]")) window.location.reload();
    };

    const round = async () => {
        timer = null;
        for (const element of document.querySelectorAll(SELECTOR)) {
            if (document.hidden) return;
            // A network error passes; the next round asks again.
            await refresh(element).catch(() => undefined);
        }
        plan();
    };

    const plan = () => {
        if (timer !== null || document.hidden) return;
        if (document.querySelector(SELECTOR)) timer = setTimeout(round, PERIOD_MS);
    };

    document.addEventListener("visibilitychange", plan);
    document.addEventListener("DOMContentLoaded", plan);
})();
