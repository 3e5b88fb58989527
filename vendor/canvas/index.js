// chartjs-node-canvas asks for `canvas`; this entry of @napi-rs/canvas answers with the same functions.
module.exports = require("@napi-rs/canvas/node-canvas");
