// Sends three events with Segment's tracker for Node: node segment.cjs HOST KEY
const { Analytics } = require("@segment/analytics-node");
const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, maxRetries: 6, flushInterval: 50 });
analytics.on("error", (error) => { console.error(error); process.exitCode = 1; });
analytics.identify({ userId: "u1", traits: { email: "sarah@luma.example", firstName: "Sarah" } });
analytics.track({ userId: "u1", event: "Order Completed", properties: { order_id: "o1", revenue: 25.5, currency: "EUR" } });
analytics.page({ userId: "u1", anonymousId: "a1", name: "Home", properties: { url: "https://luma.example/" } });
analytics.closeAndFlush({ timeout: 20000 });
