/** The entry `refresh-coordinator/testing`: what every store must do, as cases for the test runner that is there. */

export { storeContract } from "./testing/store-contract.js";
export type { StoreCase } from "./testing/store-contract.js";
