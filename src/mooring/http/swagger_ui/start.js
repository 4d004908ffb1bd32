"use strict";

// A browser that is signed in sends its session; each answer brings the token that the next change has to carry.
let token = "";

SwaggerUIBundle({
  url: "/api/v2.0/swagger.json",
  dom_id: "#docs",
  docExpansion: "none",
  filter: true,
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor(request) {
    if (token) request.headers["X-Harbor-CSRF-Token"] = token;
    return request;
  },
  responseInterceptor(response) {
    token = response.headers?.["x-harbor-csrf-token"] || token;
    return response;
  },
});
