// How quick the bytes go out, over the last seconds.
const WINDOW_MS = 10_000;
const LEAST_MS = 1500;

export class Rate {
    constructor() {
        this.points = [];
    }

    // Note that so many bytes have gone out in all; give bytes a second, 0 if unknown.
    at(bytes, now = performance.now()) {
        this.points.push({ bytes, now });
        while (now - this.points[0].now > WINDOW_MS) {
            this.points.shift();
        }
        const first = this.points[0];
        const passed = now - first.now;
        return passed < LEAST_MS ? 0 : (1000 * (bytes - first.bytes)) / passed;
    }

    forget() {
        this.points = [];
    }
}
