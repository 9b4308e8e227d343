"""Pictures, options and choices in the schema."""

import strawberry

from gqlstock.rules import catalog as rules


@strawberry.type(description="A picture.")
class Image:
    url: str = strawberry.field(description="Its URL.")
    alt: str | None = strawberry.field(description="Alternative text for screen readers.")

    @classmethod
    def of(cls, image: rules.Image) -> "Image":
        return cls(url=image.url, alt=image.alt)


@strawberry.type(description="A value of an option, such as Red.")
class ProductOptionValue:
    name: str = strawberry.field(description="Unique within the option.")
    images: list[Image] = strawberry.field(description="Pictures to show when the value is selected.")


@strawberry.type(description="An option of a product, such as Color.")
class ProductOption:
    name: str = strawberry.field(description="Unique within the product.")
    inventory: bool = strawberry.field(
        description="Whether this option is part of the combinations (the Inventory checkbox)."
    )
    values: list[ProductOptionValue] = strawberry.field(description="The values to choose from.")

    @classmethod
    def of(cls, option: rules.Option) -> "ProductOption":
        values = [
            ProductOptionValue(name=value.name, images=[Image.of(image) for image in value.images])
            for value in option.values
        ]
        return cls(name=option.name, inventory=option.inventory, values=values)


@strawberry.type(description="An option with the selected value.")
class SelectedOption:
    name: str = strawberry.field(description="The option's name.")
    value: str = strawberry.field(description="The value's name.")

    @classmethod
    def listed(cls, choice: rules.Choice) -> list["SelectedOption"]:
        return [cls(name=name, value=value) for name, value in choice.items()]


@strawberry.input(description="An option with the value to select.")
class SelectedOptionInput:
    name: str = strawberry.field(description="The option's name.")
    value: str = strawberry.field(description="The value's name.")


@strawberry.type(description="A value of an option, for the option picker.")
class OptionChoiceValue:
    name: str = strawberry.field(description="The value's name.")
    selected: bool = strawberry.field(description="Whether the value is selected.")
    exists: bool = strawberry.field(
        description="Whether there is a combination of this value with the other selected values."
    )
    orderable: bool = strawberry.field(description="Whether such a combination can be ordered.")


@strawberry.type(description="An option, for the option picker.")
class OptionChoice:
    name: str = strawberry.field(description="The option's name.")
    values: list[OptionChoiceValue] = strawberry.field(description="The values to choose from.")
