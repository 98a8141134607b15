"""``derived.ecommerce_actions``."""

from snowgauge.modelling.definition import MADE, UNIT, Column, Table, Type

TABLE = Table(
    name="ecommerce_actions",
    row="ecommerce action and product",
    words="snowplow_ecommerce_action events with their entities, and the older transaction and transaction_item "
    "events. An "
    "action without products has one row with `product_index` 0.",
    columns=(
        Column("event_id", Type.UUID, "Of the action"),
        Column("product_index", Type.SMALL, "Number of the product in the action, from 1; 0: none"),
        Column("app_id", Type.LABEL, "Application"),
        Column("t", Type.TIME, "Time of the action"),
        Column("view_id", Type.ID, "Its view"),
        Column("session_id", Type.ID, "Its session"),
        Column("person_id", Type.ID, "Person of the session, else the event's user_id, else its visitor"),
        Column("action", Type.LABEL, "Type of the action, such as add_to_cart; of the older events transaction and "
               "transaction_item"),
        Column("action_name", Type.LABEL, "Name that the site gave it"),
        Column("product_id", Type.TEXT, "The product's id (of transaction_item the SKU)"),
        Column("name", Type.TEXT, "Its name"),
        Column("brand", Type.LABEL, "Its brand"),
        Column("variant", Type.LABEL, "Its variant"),
        *(Column(f"category_{n}", Type.LABEL, f"Part {n} of its category, cut at `/`") for n in range(1, 5)),
        Column("price", Type.PRICE_OR_NONE, "Its price"),
        Column("list_price", Type.PRICE_OR_NONE, "Its price before discounts"),
        Column("quantity", Type.QUANTITY_OR_NONE, "How many"),
        Column("currency", Type.LABEL, "Currency of the prices, else of transaction or cart"),
        Column("position", Type.INT_OR_NONE, "Place in the list that the product was shown in"),
        Column("cart_id", Type.TEXT, "The cart"),
        Column("cart_total", Type.MONEY_OR_NONE, "Worth of the cart after the action"),
        Column("revenue", Type.MONEY_OR_NONE, "Revenue of the transaction; of a refund its amount, less than 0"),
        Column("tax", Type.MONEY_OR_NONE, "Tax of the transaction"),
        Column("shipping", Type.MONEY_OR_NONE, "Shipping of the transaction"),
        Column("discount", Type.MONEY_OR_NONE, "Discount of the transaction"),
        Column("total_quantity", Type.QUANTITY_OR_NONE, "Quantity of the transaction"),
        Column("payment_method", Type.LABEL, "Payment method of the transaction"),
        Column("transaction_id", Type.TEXT, "The transaction or order"),
        Column("is_first_of_transaction", Type.FLAG, "The application's earliest action of this transaction: only it "
               "counts "
               "as revenue"),
        Column("checkout_step", Type.SMALL_OR_NONE, "Number of the checkout step"),
        Column("is_bot", Type.FLAG, "Of the session, else of the event"),
        UNIT,
        *MADE,
    ),
    key=("event_id", "product_index"),
    order=("app_id", "toDate(t)", "event_id", "product_index"),
    day="t",
    search=("unit", "session_id", "person_id", "transaction_id"),
)  # fmt: skip
