// Sends three events with RudderStack's tracker for Node: node rudder.cjs HOST KEY
const Analytics = require("@rudderstack/rudder-sdk-node");
const [dataPlaneUrl, writeKey] = process.argv.slice(2);
const analytics = new Analytics(writeKey, { dataPlaneUrl, flushAt: 1, flushInterval: 50 });
analytics.identify({ userId: "u1", traits: { email: "sarah@luma.example", firstName: "Sarah" } });
analytics.track({ userId: "u1", event: "Order Completed", properties: { order_id: "o1", revenue: 25.5, currency: "EUR" } });
analytics.page({ userId: "u1", anonymousId: "a1", name: "Home", properties: { url: "https://luma.example/" } });
analytics.flush().catch((error) => { console.error(error); process.exitCode = 1; });
