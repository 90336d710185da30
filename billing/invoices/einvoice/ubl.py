"""UBL 2.1: Invoice and CreditNote, in the order of elements that its schema demands."""

from __future__ import annotations

from lxml import etree

from billing.invoices.einvoice.content import EInvoice, ELine, EParty
from billing.invoices.figures import percent
from billing.vat.category import TaxCategory

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
CAC = f"{_UBL}:CommonAggregateComponents-2"
CBC = f"{_UBL}:CommonBasicComponents-2"
SEPA_TRANSFER, CREDIT_TRANSFER = "58", "30"


class UblWriter:
    """Writes one document; `_add` keeps the name spaces out of the way."""

    def __init__(self, document: EInvoice) -> None:
        self.document = document
        self.kind = "CreditNote" if document.is_credit else "Invoice"
        name = f"{_UBL}:{self.kind}-2"
        spaces = {"ubl": name, "cac": CAC, "cbc": CBC}
        self.root = etree.Element(f"{{{name}}}{self.kind}", nsmap=spaces)

    def xml(self) -> bytes:
        """The document's bytes."""
        self._head()
        self._references()
        self._supplier()
        self._customer()
        self._payment()
        self._taxes()
        self._totals()
        for line in self.document.lines:
            self._line(line)
        return etree.tostring(self.root, xml_declaration=True, encoding="UTF-8", pretty_print=True)

    def _add(
        self, to: etree._Element, name: str, text: str = "", **attributes: str
    ) -> etree._Element:
        """A child of `to`: a basic component where there is text, else an aggregate."""
        made = etree.SubElement(to, f"{{{CBC if text else CAC}}}{name}", attributes)
        if text:
            made.text = text
        return made

    def _money(self, to: etree._Element, name: str, amount: str) -> None:
        self._add(to, name, amount, currencyID=self.document.currency)

    def _head(self) -> None:
        one, root = self.document, self.root
        self._add(root, "CustomizationID", one.profile.customization)
        if one.profile.process:
            self._add(root, "ProfileID", one.profile.process)
        self._add(root, "ID", one.number)
        self._add(root, "IssueDate", one.issued_on.isoformat())
        if one.due_on is not None:
            self._add(root, "DueDate", one.due_on.isoformat())
        self._add(root, f"{self.kind}TypeCode", "381" if one.is_credit else "380")
        # More than one note is against the profiles' rules (UBL-SR-…): they are one text.
        if one.notes:
            self._add(root, "Note", " ".join(one.notes))
        self._add(root, "DocumentCurrencyCode", one.currency)
        if one.cost_center:
            self._add(root, "AccountingCost", one.cost_center)
        if one.buyer_reference:
            self._add(root, "BuyerReference", one.buyer_reference)
        period = self._add(root, "InvoicePeriod")
        self._add(period, "StartDate", one.first_day.isoformat())
        self._add(period, "EndDate", one.last_day.isoformat())

    def _references(self) -> None:
        one = self.document
        if one.purchase_order:
            self._add(self._add(self.root, "OrderReference"), "ID", one.purchase_order)
        for number in one.preceding:
            reference = self._add(
                self._add(self.root, "BillingReference"), "InvoiceDocumentReference"
            )
            self._add(reference, "ID", number)
        if one.contract:
            self._add(self._add(self.root, "ContractDocumentReference"), "ID", one.contract)

    def _supplier(self) -> None:
        self._party(self._add(self.root, "AccountingSupplierParty"), self.document.seller)

    def _customer(self) -> None:
        self._party(self._add(self.root, "AccountingCustomerParty"), self.document.buyer)

    def _party(self, to: etree._Element, who: EParty) -> None:
        party = self._add(to, "Party")
        if who.endpoint:
            self._add(party, "EndpointID", who.endpoint, schemeID=who.scheme)
        self._add(self._add(party, "PartyName"), "Name", who.name)
        address = self._add(party, "PostalAddress")
        for name, text in zip(("StreetName", "AdditionalStreetName"), who.lines, strict=False):
            self._add(address, name, text)
        if who.city:
            self._add(address, "CityName", who.city)
        if who.postcode:
            self._add(address, "PostalZone", who.postcode)
        if len(who.lines) > 2:
            rest = ", ".join(who.lines[2:])
            self._add(self._add(address, "AddressLine"), "Line", rest)
        self._add(self._add(address, "Country"), "IdentificationCode", who.country)
        for number, scheme in ((who.vat_id, "VAT"), (who.tax_no, "FC")):
            if number:
                tax = self._add(party, "PartyTaxScheme")
                self._add(tax, "CompanyID", number)
                self._add(self._add(tax, "TaxScheme"), "ID", scheme)
        legal = self._add(party, "PartyLegalEntity")
        self._add(legal, "RegistrationName", who.name)
        if who.legal_id:
            self._add(legal, "CompanyID", who.legal_id)
        if who.contact or who.phone or who.email:
            contact = self._add(party, "Contact")
            for name, text in (
                ("Name", who.contact), ("Telephone", who.phone), ("ElectronicMail", who.email)
            ):  # fmt: skip
                if text:
                    self._add(contact, name, text)

    def _payment(self) -> None:
        one = self.document
        if one.iban:
            means = self._add(self.root, "PaymentMeans")
            code = SEPA_TRANSFER if one.currency == "EUR" else CREDIT_TRANSFER
            self._add(means, "PaymentMeansCode", code)
            self._add(means, "PaymentID", one.number)
            account = self._add(means, "PayeeFinancialAccount")
            self._add(account, "ID", one.iban)
            if one.bic:
                self._add(self._add(account, "FinancialInstitutionBranch"), "ID", one.bic)
        if one.payment_terms:
            self._add(self._add(self.root, "PaymentTerms"), "Note", one.payment_terms)

    def _taxes(self) -> None:
        total = self._add(self.root, "TaxTotal")
        self._money(total, "TaxAmount", self.document.tax)
        for one in self.document.taxes:
            row = self._add(total, "TaxSubtotal")
            self._money(row, "TaxableAmount", one.net)
            self._money(row, "TaxAmount", one.tax)
            self._category(row, "TaxCategory", one.category, with_reason=True)

    def _category(
        self, to: etree._Element, name: str, category: TaxCategory, *, with_reason: bool = False
    ) -> None:
        made = self._add(to, name)
        self._add(made, "ID", category.code)
        if category.code != "O":
            self._add(made, "Percent", percent(category.percent.scaleb(2)))
        if with_reason and category.reason_code:
            self._add(made, "TaxExemptionReasonCode", category.reason_code)
        if with_reason and category.reason:
            self._add(made, "TaxExemptionReason", category.reason)
        self._add(self._add(made, "TaxScheme"), "ID", "VAT")

    def _totals(self) -> None:
        one = self.document
        total = self._add(self.root, "LegalMonetaryTotal")
        self._money(total, "LineExtensionAmount", one.net)
        self._money(total, "TaxExclusiveAmount", one.net)
        self._money(total, "TaxInclusiveAmount", one.total)
        self._money(total, "PrepaidAmount", one.prepaid)
        self._money(total, "PayableAmount", one.due)

    def _line(self, line: ELine) -> None:
        made = self._add(self.root, f"{self.kind}Line")
        self._add(made, "ID", line.no)
        name = "CreditedQuantity" if self.document.is_credit else "InvoicedQuantity"
        self._add(made, name, str(line.quantity), unitCode=line.unit)
        self._money(made, "LineExtensionAmount", line.net)
        if line.adjustment:
            change = self._add(made, "AllowanceCharge")
            self._add(change, "ChargeIndicator", "true" if line.adjustment > 0 else "false")
            self._add(change, "AllowanceChargeReason", line.adjustment_reason)
            self._money(change, "Amount", line.adjustment_text)
        item = self._add(made, "Item")
        if line.notes:
            self._add(item, "Description", "; ".join(line.notes))
        self._add(item, "Name", line.name)
        self._category(item, "ClassifiedTaxCategory", line.tax)
        price = self._add(made, "Price")
        self._money(price, "PriceAmount", line.price)
        self._add(price, "BaseQuantity", str(line.price_for), unitCode=line.unit)


def write(document: EInvoice) -> bytes:
    """The document in UBL 2.1."""
    return UblWriter(document).xml()
