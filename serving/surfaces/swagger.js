// Starts Swagger UI on the element #ui, whose data-documents names the OpenAPI documents.
window.ui = SwaggerUIBundle({
  domNode: document.getElementById('ui'),
  urls: [{url: '/openapi.yaml', name: 'all surfaces'}].concat(
      document.getElementById('ui').dataset.documents.split(' ').map(
          (name) => ({url: `/openapi/${name}.yaml`, name}))),
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: 'StandaloneLayout',
  deepLinking: true,
  docExpansion: 'none',  // of 'list' Swagger UI 5.35 shows two operations where there are some 130 and more
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
