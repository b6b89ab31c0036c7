// Your issuer's.
export const clientId = "web";
export const tokenEndpoint = "https://issuer.example/token";
