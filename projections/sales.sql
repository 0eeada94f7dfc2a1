-- What moved money, for finance: one row for each approved purchase and one for each reversal that
-- took effect. Rows are never changed. Amounts in cents; never a token's digits.
CREATE TABLE IF NOT EXISTS sale (
    -- Of the event that made the row.
    position                  bigint PRIMARY KEY,
    -- The purchase that it is about, also for a reversal.
    purchase_id               text NOT NULL,
    -- The columns of the extract, but for the settlement date, which depends on the process.
    transaction_id            text NOT NULL,
    original_id               text,
    -- PURCHASE, REVERSAL.
    message_type              text NOT NULL,
    transaction_state         text NOT NULL,
    -- When the channel asked for it.
    transaction_time          timestamptz NOT NULL,
    originator_institution_id text,
    merchant_id               text,
    terminal_id               text,
    channel_id                text,
    client_id                 text,
    settlement_entity_id      text,
    receiver_id               text,
    provider_reference        text,
    rrn                       text,
    stan                      text,
    utility_type              text NOT NULL,
    meter_id                  text NOT NULL,
    amount_minor              bigint NOT NULL,
    currency                  text NOT NULL,
    token_amount_minor        bigint,
    tax_minor                 bigint,
    debt_minor                bigint,
    service_charge_minor      bigint,
    units                     text,
    receipt_number            text,
    vat_invoice_number        text,
    tender_type               text,
    fee_minor                 bigint,
    basket_ref                text
);
-- A sale is taken back once, however often it was asked for.
CREATE UNIQUE INDEX IF NOT EXISTS sale_of_purchase ON sale (purchase_id, message_type);
CREATE INDEX IF NOT EXISTS sale_by_provider ON sale (settlement_entity_id, position);
CREATE INDEX IF NOT EXISTS sale_by_client ON sale (client_id, position);
CREATE INDEX IF NOT EXISTS sale_by_provider_time
    ON sale (settlement_entity_id, transaction_time, position);
CREATE INDEX IF NOT EXISTS sale_by_client_time ON sale (client_id, transaction_time, position);
CREATE INDEX IF NOT EXISTS sale_by_time ON sale (transaction_time, position);

-- Purchases that are not sold, or not yet: what their rows need of the request. A declined one stays,
-- for its channel may retry it, or its provider turn out to have sold after all.
CREATE TABLE IF NOT EXISTS unsold (
    purchase_id text PRIMARY KEY,
    -- The columns of `sale` that the request fills.
    request     jsonb NOT NULL
);

-- Reversals that were asked for and have not taken effect: when.
CREATE TABLE IF NOT EXISTS advised (
    advice_id  text PRIMARY KEY,
    advised_at timestamptz NOT NULL
);
