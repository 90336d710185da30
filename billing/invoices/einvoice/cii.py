"""CII (Cross Industry Invoice of UN/CEFACT, D16B), in the order that its schema demands."""

from __future__ import annotations

from datetime import date

from lxml import etree

from billing.invoices.einvoice.content import EInvoice, ELine, EParty
from billing.invoices.figures import percent
from billing.vat.category import TaxCategory

_UN = "urn:un:unece:uncefact:data"
RSM = f"{_UN}:standard:CrossIndustryInvoice:100"
RAM = f"{_UN}:standard:ReusableAggregateBusinessInformationEntity:100"
UDT = f"{_UN}:standard:UnqualifiedDataType:100"
QDT = f"{_UN}:standard:QualifiedDataType:100"
DAY = "102"
"""The form YYYYMMDD of dates."""


class CiiWriter:
    """Writes one document."""

    def __init__(self, document: EInvoice) -> None:
        self.document = document
        spaces = {"rsm": RSM, "ram": RAM, "udt": UDT, "qdt": QDT}
        self.root = etree.Element(f"{{{RSM}}}CrossIndustryInvoice", nsmap=spaces)

    def xml(self) -> bytes:
        """The document's bytes."""
        self._context()
        self._head()
        trade = etree.SubElement(self.root, f"{{{RSM}}}SupplyChainTradeTransaction")
        for line in self.document.lines:
            self._line(trade, line)
        self._agreement(trade)
        delivery = self._add(trade, "ApplicableHeaderTradeDelivery")
        event = self._add(delivery, "ActualDeliverySupplyChainEvent")
        self._day(event, "OccurrenceDateTime", self.document.last_day)
        self._settlement(trade)
        return etree.tostring(self.root, xml_declaration=True, encoding="UTF-8", pretty_print=True)

    def _add(
        self, to: etree._Element, name: str, text: str = "", **attributes: str
    ) -> etree._Element:
        made = etree.SubElement(to, f"{{{RAM}}}{name}", attributes)
        if text:
            made.text = text
        return made

    def _day(self, to: etree._Element, name: str, day: date) -> None:
        made = etree.SubElement(self._add(to, name), f"{{{UDT}}}DateTimeString", format=DAY)
        made.text = f"{day:%Y%m%d}"

    def _context(self) -> None:
        context = etree.SubElement(self.root, f"{{{RSM}}}ExchangedDocumentContext")
        profile = self.document.profile
        if profile.process:
            process = self._add(context, "BusinessProcessSpecifiedDocumentContextParameter")
            self._add(process, "ID", profile.process)
        guideline = self._add(context, "GuidelineSpecifiedDocumentContextParameter")
        self._add(guideline, "ID", profile.customization)

    def _head(self) -> None:
        one = self.document
        head = etree.SubElement(self.root, f"{{{RSM}}}ExchangedDocument")
        self._add(head, "ID", one.number)
        self._add(head, "TypeCode", "381" if one.is_credit else "380")
        self._day(head, "IssueDateTime", one.issued_on)
        for note in one.notes:
            self._add(self._add(head, "IncludedNote"), "Content", note)

    def _line(self, to: etree._Element, line: ELine) -> None:
        made = self._add(to, "IncludedSupplyChainTradeLineItem")
        self._add(self._add(made, "AssociatedDocumentLineDocument"), "LineID", line.no)
        product = self._add(made, "SpecifiedTradeProduct")
        self._add(product, "Name", line.name)
        if line.notes:
            self._add(product, "Description", "; ".join(line.notes))
        price = self._add(
            self._add(made, "SpecifiedLineTradeAgreement"), "NetPriceProductTradePrice"
        )
        self._add(price, "ChargeAmount", line.price)
        self._add(price, "BasisQuantity", str(line.price_for), unitCode=line.unit)
        delivery = self._add(made, "SpecifiedLineTradeDelivery")
        self._add(delivery, "BilledQuantity", str(line.quantity), unitCode=line.unit)
        settlement = self._add(made, "SpecifiedLineTradeSettlement")
        self._category(self._add(settlement, "ApplicableTradeTax"), line.tax)
        if line.adjustment:
            change = self._add(settlement, "SpecifiedTradeAllowanceCharge")
            indicator = self._add(change, "ChargeIndicator")
            charge = etree.SubElement(indicator, f"{{{UDT}}}Indicator")
            charge.text = "true" if line.adjustment > 0 else "false"
            self._add(change, "ActualAmount", line.adjustment_text)
            self._add(change, "Reason", line.adjustment_reason)
        total = self._add(settlement, "SpecifiedTradeSettlementLineMonetarySummation")
        self._add(total, "LineTotalAmount", line.net)

    def _category(self, made: etree._Element, category: TaxCategory) -> None:
        self._add(made, "TypeCode", "VAT")
        self._add(made, "CategoryCode", category.code)
        if category.code != "O":
            self._add(made, "RateApplicablePercent", percent(category.percent.scaleb(2)))

    def _agreement(self, trade: etree._Element) -> None:
        one = self.document
        made = self._add(trade, "ApplicableHeaderTradeAgreement")
        if one.buyer_reference:
            self._add(made, "BuyerReference", one.buyer_reference)
        self._party(self._add(made, "SellerTradeParty"), one.seller, is_seller=True)
        self._party(self._add(made, "BuyerTradeParty"), one.buyer, is_seller=False)
        for name, number in (
            ("BuyerOrderReferencedDocument", one.purchase_order),
            ("ContractReferencedDocument", one.contract),
        ):
            if number:
                self._add(self._add(made, name), "IssuerAssignedID", number)

    def _party(self, party: etree._Element, who: EParty, *, is_seller: bool) -> None:
        self._add(party, "Name", who.name)
        if who.legal_id:
            self._add(self._add(party, "SpecifiedLegalOrganization"), "ID", who.legal_id)
        if who.contact or who.phone or (is_seller and who.email):
            contact = self._add(party, "DefinedTradeContact")
            if who.contact:
                self._add(contact, "PersonName", who.contact)
            if who.phone:
                phone = self._add(contact, "TelephoneUniversalCommunication")
                self._add(phone, "CompleteNumber", who.phone)
            if who.email:
                mail = self._add(contact, "EmailURIUniversalCommunication")
                self._add(mail, "URIID", who.email)
        address = self._add(party, "PostalTradeAddress")
        if who.postcode:
            self._add(address, "PostcodeCode", who.postcode)
        names = ("LineOne", "LineTwo", "LineThree")
        lines = (*who.lines[:2], ", ".join(who.lines[2:]))
        for name, text in zip(names, lines, strict=False):
            if text:
                self._add(address, name, text)
        if who.city:
            self._add(address, "CityName", who.city)
        self._add(address, "CountryID", who.country)
        if who.endpoint:
            uri = self._add(party, "URIUniversalCommunication")
            self._add(uri, "URIID", who.endpoint, schemeID=who.scheme)
        for number, scheme in ((who.vat_id, "VA"), (who.tax_no, "FC")):
            if number:
                self._add(
                    self._add(party, "SpecifiedTaxRegistration"), "ID", number, schemeID=scheme
                )

    def _settlement(self, trade: etree._Element) -> None:
        one = self.document
        made = self._add(trade, "ApplicableHeaderTradeSettlement")
        if one.iban:
            self._add(made, "PaymentReference", one.number)
        self._add(made, "InvoiceCurrencyCode", one.currency)
        if one.iban:
            means = self._add(made, "SpecifiedTradeSettlementPaymentMeans")
            self._add(means, "TypeCode", "58" if one.currency == "EUR" else "30")
            account = self._add(means, "PayeePartyCreditorFinancialAccount")
            self._add(account, "IBANID", one.iban)
            if one.bic:
                bank = self._add(means, "PayeeSpecifiedCreditorFinancialInstitution")
                self._add(bank, "BICID", one.bic)
        for tax in one.taxes:
            row = self._add(made, "ApplicableTradeTax")
            self._add(row, "CalculatedAmount", tax.tax)
            self._add(row, "TypeCode", "VAT")
            if tax.category.reason:
                self._add(row, "ExemptionReason", tax.category.reason)
            self._add(row, "BasisAmount", tax.net)
            self._add(row, "CategoryCode", tax.category.code)
            if tax.category.reason_code:
                self._add(row, "ExemptionReasonCode", tax.category.reason_code)
            if tax.category.code != "O":
                self._add(row, "RateApplicablePercent", percent(tax.category.percent.scaleb(2)))
        period = self._add(made, "BillingSpecifiedPeriod")
        self._day(period, "StartDateTime", one.first_day)
        self._day(period, "EndDateTime", one.last_day)
        if one.payment_terms or one.due_on is not None:
            terms = self._add(made, "SpecifiedTradePaymentTerms")
            if one.payment_terms:
                self._add(terms, "Description", one.payment_terms)
            if one.due_on is not None:
                self._day(terms, "DueDateDateTime", one.due_on)
        self._totals(made)
        for number in one.preceding:
            reference = self._add(made, "InvoiceReferencedDocument")
            self._add(reference, "IssuerAssignedID", number)
        if one.cost_center:
            account = self._add(made, "ReceivableSpecifiedTradeAccountingAccount")
            self._add(account, "ID", one.cost_center)

    def _totals(self, to: etree._Element) -> None:
        one = self.document
        total = self._add(to, "SpecifiedTradeSettlementHeaderMonetarySummation")
        self._add(total, "LineTotalAmount", one.net)
        self._add(total, "TaxBasisTotalAmount", one.net)
        self._add(total, "TaxTotalAmount", one.tax, currencyID=one.currency)
        self._add(total, "GrandTotalAmount", one.total)
        self._add(total, "TotalPrepaidAmount", one.prepaid)
        self._add(total, "DuePayableAmount", one.due)


def write(document: EInvoice) -> bytes:
    """The document in CII D16B."""
    return CiiWriter(document).xml()
